import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import { burst } from '../support/burst.ts'
import { type RunningProgram, startProgram } from '../support/program.ts'
import { type Summary, summarize } from '../support/summarize.ts'
import { authorizeConnection } from './authorize-connection.ts'

export interface Measurements {
  /** From starting the process until it is ready, on an empty database, where there is anything to set up. */
  firstStartMs?: Summary
  /** The same on one that was used before. */
  laterStartMs: Summary
  /** Resident memory some seconds after a later start, before any request but the one for readiness. */
  idleMb: Summary
  /** The same right after a burst of requests. */
  loadedMb: number
}

const firstStarts = 3
const laterStarts = 5
const settleMs = 2_000
const requests = { ready: 500, token: 3_000 }

/** The installed vault on PostgreSQL, or on the embedded database without a URL. */
export async function measureVault(
  installation: string,
  directory: string,
  postgresUrl: string | undefined,
): Promise<Measurements> {
  const first: number[] = []
  for (let run = 1; ; run++) {
    const measured = await withVault(
      installation,
      `${directory}-${run}`,
      postgresUrl,
      async (start, dataDirectory) => {
        first.push(await startOnce(start))
        if (run < firstStarts) return undefined
        return {
          firstStartMs: summarize(first),
          ...(await measureLaterStarts(start, (url) => loadVault(url, dataDirectory))),
        }
      },
    )
    if (measured) return measured
  }
}

/** Fastify and pg of that installation, with two routes and nothing else. */
export async function measureBareFastify(installation: string, postgresUrl: string): Promise<Measurements> {
  const program = join(installation, 'bare-fastify.mjs')
  await copyFile(fileURLToPath(new URL('../baselines/bare-fastify.mjs', import.meta.url)), program)
  const start = () => startProgram([program], (port) => ({ PORT: String(port), DATABASE_URL: postgresUrl }))
  return measureLaterStarts(start, (url) => burst(url, { '/readyz': requests.ready, '/token': requests.token }))
}

type Start = () => Promise<RunningProgram>

/** Gives `use` what starts the vault on empty storage of its own. */
async function withVault<T>(
  installation: string,
  dataDirectory: string,
  postgresUrl: string | undefined,
  use: (start: Start, dataDirectory: string) => Promise<T>,
): Promise<T> {
  const database = postgresUrl === undefined ? undefined : temporaryDatabase(postgresUrl)
  const program = join(installation, 'dist/main.js')
  const start = () =>
    startProgram([program, 'start'], (port) => ({
      NODE_ENV: 'production',
      AUTHCONN_PORT: String(port),
      AUTHCONN_DATA_DIR: dataDirectory,
      AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
      ...(database && { DATABASE_URL: database.url }),
    }))
  await database?.create()
  try {
    return await use(start, dataDirectory)
  } finally {
    await database?.drop()
  }
}

async function loadVault(url: string, dataDirectory: string): Promise<void> {
  const { apiKey, tokenPath, release } = await authorizeConnection(url, dataDirectory)
  try {
    await burst(url, { '/readyz': requests.ready, [tokenPath]: requests.token }, apiKey)
  } finally {
    await release()
  }
}

async function startOnce(start: Start): Promise<number> {
  const program = await start()
  await program.stop()
  return program.readyMs
}

async function measureLaterStarts(start: Start, load: (url: string) => Promise<void>): Promise<Measurements> {
  const readyMs: number[] = []
  const idleMb: number[] = []
  for (;;) {
    const program = await start()
    try {
      readyMs.push(program.readyMs)
      await sleep(settleMs)
      idleMb.push(await program.memoryMb())
      if (readyMs.length < laterStarts) continue
      await load(program.url)
      return { laterStartMs: summarize(readyMs), idleMb: summarize(idleMb), loadedMb: await program.memoryMb() }
    } finally {
      await program.stop()
    }
  }
}
