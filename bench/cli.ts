import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../scripts/lib/bundle.ts'
import { measureRound, type Round } from './cli/measure.ts'
import { renderCliTimes } from './cli/render.ts'
import { authorizeConnection } from './footprint/authorize-connection.ts'
import type { Bench } from './main.ts'
import { atMost } from './support/aims.ts'
import { machine } from './support/machine.ts'
import { median, significant } from './support/median.ts'
import { startProgram } from './support/program.ts'
import { say } from './support/say.ts'

export type CliTimes = Awaited<ReturnType<typeof measure>>

const rounds = 40
const warmUp = 3
const vaultProgram = fileURLToPath(new URL('../packages/server/dist/main.js', import.meta.url))

/** How long the command line takes to start, beside Node alone, and to fetch a token, beside the vault alone. */
export const cli: Bench = {
  summary: 'start-up time of the command line (about a minute)',
  async run() {
    const data = await measure()
    return { data, text: renderCliTimes(data), pass: data.aims.every((aim) => aim.pass) }
  },
}

async function measure() {
  say('building')
  await bundle('cli').run()
  await bundle('server').run()
  const dataDirectory = await mkdtemp(join(tmpdir(), 'authconn-bench-cli-'))
  const vault = await startProgram([vaultProgram, 'start'], (port) => ({
    AUTHCONN_PORT: String(port),
    AUTHCONN_DATA_DIR: dataDirectory,
    AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
  }))
  try {
    const connection = await authorizeConnection(vault.url, dataDirectory)
    try {
      say(`${rounds} rounds`)
      const asked = { url: vault.url, ...connection }
      for (let round = 0; round < warmUp; round++) await measureRound(asked)
      const samples: Round[] = []
      while (samples.length < rounds) samples.push(await measureRound(asked))
      return judge(samples)
    } finally {
      await connection.release()
    }
  } finally {
    await vault.stop()
    await rm(dataDirectory, { recursive: true })
  }
}

function judge(samples: Round[]) {
  const each = (pick: (round: Round) => number) => samples.map(pick)
  const of = (summary: (values: number[]) => number): Round => ({
    node: significant(summary(each(({ node }) => node))),
    version: significant(summary(each(({ version }) => version))),
    token: significant(summary(each(({ token }) => token))),
    complete: significant(summary(each(({ complete }) => complete))),
    vault: significant(summary(each(({ vault }) => vault))),
  })
  // Within a round: what slowed the machine down for a second slowed both down.
  const ratio = significant(median(each(({ version, node }) => version / node)))
  const over = significant(median(each(({ token, node, vault }) => token - node - vault)))
  return {
    machine: machine(),
    rounds: samples.length,
    medians: of(median),
    fastest: of((values) => Math.min(...values)),
    aims: [
      atMost('authconn --version beside node -e 0', '×', 1.6, ratio),
      atMost("authconn token over node -e 0 and the vault's time", 'ms', 70, over),
    ],
  }
}
