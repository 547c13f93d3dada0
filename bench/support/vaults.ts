import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningProgram, startProgram } from './program.ts'

export interface VaultsPlan {
  count: number
  /** Without one each vault has an embedded database, in its data directory. */
  databaseUrl?: string
  /** 32 bytes in base64. */
  kek: string
  /** Gets a data directory and a log for each. */
  directory: string
  /** Further settings; nothing is inherited from this process. */
  environment?: Record<string, string>
}

export interface RunningVault {
  /** The same after a restart. */
  url: string
  /** Of the process as it is now. */
  readonly pid: number
  dataDirectory: string
  logFile: string
  /** Sends a signal and does not wait: SIGKILL ends it, SIGSTOP and SIGCONT do not. */
  kill(signal: NodeJS.Signals): void
  /** Ends it by SIGTERM and waits; also when it has ended already. */
  stop(): Promise<void>
  /** Starts it again, on the same port and data, after ending it if it has not ended. Resolves when it is ready. */
  restart(): Promise<void>
}

const program = fileURLToPath(new URL('../../packages/server/dist/main.js', import.meta.url))

/**
 * Starts some vaults on one database with one key, from the bundle: make that first. Resolves when all are ready.
 * On an empty database the first gets the credentials of the administrator into its data directory.
 */
export async function startVaults(plan: VaultsPlan): Promise<RunningVault[]> {
  const first = await startVault(plan, 1)
  const others = await Promise.allSettled(
    Array.from({ length: plan.count - 1 }, (_, index) => startVault(plan, index + 2)),
  )
  const vaults = [first, ...others.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))]
  const failed = others.find((each) => each.status === 'rejected')
  if (!failed) return vaults
  await Promise.all(vaults.map((vault) => vault.stop()))
  throw failed.reason
}

async function startVault(plan: VaultsPlan, number: number): Promise<RunningVault> {
  const dataDirectory = join(plan.directory, `vault-${number}`)
  const logFile = `${dataDirectory}.log`
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })

  const start = (samePort?: number): Promise<RunningProgram> =>
    startProgram(
      [program, 'start'],
      (port) => ({
        NODE_ENV: 'production',
        AUTHCONN_LOG_LEVEL: 'warn',
        ...plan.environment,
        ...(plan.databaseUrl !== undefined && { DATABASE_URL: plan.databaseUrl }),
        AUTHCONN_KEK: plan.kek,
        AUTHCONN_DATA_DIR: dataDirectory,
        AUTHCONN_PORT: String(port),
      }),
      { logFile, exitWithParent: true, ...(samePort !== undefined && { port: samePort }) },
    )

  let running = await start()
  const { url } = running
  return {
    url,
    get pid() {
      return running.pid
    },
    dataDirectory,
    logFile,
    kill: (signal) => running.kill(signal),
    stop: () => running.stop(),
    async restart() {
      await running.stop()
      running = await start(Number(new URL(url).port))
    },
  }
}
