import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { readCredentials, updateCredentials } from './adapters/files/credentials-file.ts'
import { makeDataDirectory } from './adapters/files/data-directory.ts'
import { composeVault, type Vault } from './compose.ts'
import type { Config } from './config/load-config.ts'
import { AuthconnError } from './core/errors.ts'
import { describeCrash, secretsOf } from './describe-crash.ts'
import { createLogOutput, type LogOutput, standardOutput } from './log-output.ts'
import { createLogger, type Logger } from './logger.ts'
import { openTracing } from './open-tracing.ts'
import { showAdminKey } from './show-key.ts'
import type { Tracing } from './tracing.ts'
import { tuneCollector } from './tune-collector.ts'
import { version } from './version.ts'

/** Starts the vault and serves until a signal ends it. Throws what is wrong with settings, keys or storage. */
export async function startVault(config: Config): Promise<void> {
  tuneCollector()
  let tracing: Tracing | undefined
  const output = createLogOutput(standardOutput(), (lines) => {
    log.warn({ lines }, 'lines of this log were dropped: they could not be written, or nobody read them in time')
  })
  const log = createLogger(
    config.logLevel,
    output,
    config.tracing.url ? () => tracing?.logFields() ?? {} : undefined,
  )
  const secrets = secretsOf(config)
  // Rejections that nobody handles come here as well.
  process.on('uncaughtException', (error) => {
    log.fatal({ crash: describeCrash(error, secrets) }, 'uncaught exception')
    exit(1, output)
  })
  if (config.allowInspect) {
    log.warn('AUTHCONN_ALLOW_INSPECT is on: a debugger or a heap snapshot shows every secret of the vault')
  }
  if (config.unknownSettings.length > 0) {
    log.warn({ settings: config.unknownSettings }, 'unknown settings are ignored: see authconn-server --help')
  }
  if (config.allowLoopbackProviders) {
    log.warn('AUTHCONN_ALLOW_LOOPBACK_PROVIDERS is on: providers on this machine may be called, also without TLS')
  }
  if (config.proxy?.names === 'proxy') {
    log.warn(
      'AUTHCONN_PROXY_NAMES=proxy: the proxy resolves the names of providers, and nobody here checks where they lead',
    )
  }
  // A standard error that nobody reads any more is no reason to stop.
  process.stderr.on('error', () => undefined)
  // Before anything listens: what is wrong with the file must stop the start, not follow it.
  makeDataDirectory(config.dataDirectory)
  readCredentials(config.dataDirectory)
  tracing = await openTracing(config, log)
  const vault = await composeVault(config, log, tracing)
  stopOnSignals(vault, config, log, output)
  reloadCertificate(vault)
  try {
    const url = await listen(vault, config, log)
    updateCredentials(config.dataDirectory, url, vault.proofKey)
    log.info(
      {
        version,
        url,
        database: config.databaseUrl ? 'postgres' : 'embedded',
        dataDirectory: config.dataDirectory,
      },
      'listening',
    )
  } catch (error) {
    await vault.close()
    throw error
  }
  if (vault.adminKey) showAdminKey(vault.adminKey, config.dataDirectory)
}

async function listen(vault: Vault, config: Config, log: Logger): Promise<string> {
  try {
    const isBoth = config.host === 'localhost'
    const address = await vault.app.listen({ host: isBoth ? '127.0.0.1' : config.host, port: config.port })
    const { port } = new URL(address)
    if (isBoth) {
      await vault.app.listenAlso('::1', Number(port)).catch((error) => {
        log.warn({ error }, 'listening at 127.0.0.1 alone, and not at ::1')
      })
    }
    // What another program on this machine would dial, whatever interface the vault listens on.
    const host = ['0.0.0.0', '::'].includes(config.host) ? '127.0.0.1' : new URL(address).hostname
    if (!vault.certificate) return `http://${host}:${port}`
    return `https://${namedIn(vault.certificate.current().x509, host)}:${port}`
  } catch (error) {
    throw inWords(error, config)
  }
}

/** The host by which a client on this machine finds what the certificate says. */
function namedIn(certificate: X509Certificate, host: string): string {
  const address = host.replace(/^\[|\]$/g, '')
  if (isIP(address) ? certificate.checkIP(address) : certificate.checkHost(address)) return host
  const isHere = isIP(address) === 0 || address === '::1' || address.startsWith('127.')
  if (isHere && certificate.checkHost('localhost')) return 'localhost'
  const [, name = host] = /DNS:([^*,\s]+)(?:,|$)/.exec(certificate.subjectAltName ?? '') ?? []
  return name
}

/** Renewed certificates come as files, and not everybody who writes them can send a signal. */
function reloadCertificate({ app, certificate }: Vault): void {
  if (!certificate) return
  const reload = () => certificate.reload(app.replaceCertificate)
  process.on('SIGHUP', reload)
  setInterval(reload, 60_000).unref()
}

function inWords(error: unknown, { host, port }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const invalid = (detail: string) => new AuthconnError('setting_invalid', detail, { cause: error })
  switch (code) {
    case 'EADDRINUSE':
      return new AuthconnError('address_in_use', `${host}:${port} is taken`)
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return invalid(`AUTHCONN_HOST is no address of this machine: ${host}`)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return invalid(`AUTHCONN_HOST is a name that does not resolve: ${host}`)
    case 'EAFNOSUPPORT':
      return invalid(`AUTHCONN_HOST is an address of a kind that is off on this machine: ${host}`)
    case 'EACCES':
    case 'EPERM':
      return invalid(`AUTHCONN_PORT is a port this user may not listen on: ${port}`)
    default:
      return error
  }
}

function stopOnSignals(vault: Vault, config: Config, log: Logger, output: LogOutput): void {
  let since: number | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (since !== undefined) {
      // A signal to the whole process group may come a second time through a parent that passes it on.
      if (performance.now() - since < 1000) return
      log.warn({ signal }, 'stopping at once')
      return await leave(1, output)
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
    await leave(ended === undefined ? 0 : 1, output)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** Ends the process when its last words are written, or cannot be. */
async function leave(code: number, output: LogOutput): Promise<void> {
  await Promise.race([new Promise<void>((written) => output.flush(written)), sleep(1000)])
  exit(code, output)
}

function exit(code: number, output: LogOutput): never {
  // An exit would wait for the thread that hangs, for as long as nobody reads that terminal.
  if (output.isStuck()) process.kill(process.pid, 'SIGKILL')
  process.exit(code)
}
