import { setTimeout as sleep } from 'node:timers/promises'
import { credentialsPath, updateLocalUrl } from './adapters/files/credentials-file.ts'
import { composeVault, type Vault } from './compose.ts'
import type { Config } from './config/load-config.ts'
import { AuthconnError } from './core/errors.ts'
import { createLogger, type Logger } from './logger.ts'
import { version } from './version.ts'

/** Starts the vault and serves until a signal ends it. Throws what is wrong with settings, keys or storage. */
export async function startVault(config: Config): Promise<void> {
  const log = createLogger(config.logLevel)
  process.on('uncaughtException', (error) => {
    log.fatal({ error }, 'uncaught exception')
    process.exit(1)
  })
  if (config.unknownSettings.length > 0) {
    log.warn({ settings: config.unknownSettings }, 'unknown settings are ignored: see authconn-server --help')
  }
  if (config.allowLoopbackProviders) {
    log.warn('AUTHCONN_ALLOW_LOOPBACK_PROVIDERS is on: providers on this machine may be called, also without TLS')
  }
  const vault = await composeVault(config, log)
  stopOnSignals(vault, config, log)
  const url = await listen(vault, config)
  updateLocalUrl(config.dataDirectory, url)
  log.info(
    { version, url, database: config.databaseUrl ? 'postgres' : 'embedded', dataDirectory: config.dataDirectory },
    'listening',
  )
  if (vault.adminKey) showAdminKey(vault.adminKey.reveal(), config)
}

async function listen(vault: Vault, config: Config): Promise<string> {
  try {
    const address = await vault.app.listen({ host: config.host, port: config.port })
    const { port } = new URL(address)
    // What another program on this machine would dial, whatever interface the vault listens on.
    const host = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : new URL(address).hostname
    return `http://${host}:${port}`
  } catch (error) {
    await vault.close()
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new AuthconnError('address_in_use', `${config.host}:${config.port} is taken`)
    }
    throw error
  }
}

/** Once, and to a person only: standard output and error of a service end up in log stores. */
function showAdminKey(key: string, config: Config): void {
  const kept = `It is kept in ${credentialsPath(config.dataDirectory)} for the command line on this machine.`
  process.stderr.write(
    process.stderr.isTTY
      ? `\nThe administrator's API key, shown this once:\n\n  ${key}\n\n${kept}\n\n`
      : `The administrator's API key was made. ${kept}\n`,
  )
}

function stopOnSignals(vault: Vault, config: Config, log: Logger): void {
  let since: number | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (since !== undefined) {
      // A signal to the whole process group may come a second time through a parent that passes it on.
      if (performance.now() - since < 1000) return
      log.warn({ signal }, 'stopping at once')
      process.exit(1)
    }
    since = performance.now()
    vault.announceStop()
    log.info({ signal }, 'stopping')
    const late = sleep(config.shutdownTimeoutMs, 'late' as const, { ref: false })
    const ended = await Promise.race([vault.close(), late]).catch((error) => {
      log.error({ error }, 'stopping failed')
      return 'failed' as const
    })
    if (ended === 'late') log.error('not everything in flight ended in time')
    log.info('stopped')
    process.exit(ended === undefined ? 0 : 1)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}
