import { resolve } from 'node:path'
import { defaultDataDirectory } from '@authconn/shared/local'
import { formatAddressRange, parseAddressRange } from '../core/callers/address-range.ts'
import type { KekSource, KeyServiceAccess } from '../core/crypto/kek-source.ts'
import type { Secret } from '../core/secret.ts'
import { type ProxyConfig, providerHosts, readProxy, requireTlsVerification } from './network-settings.ts'
import { readKeks } from './read-keks.ts'
import { readKeyServices } from './read-key-services.ts'
import { boolean, type Environment, integer, invalid, list, oneOf, read, secret } from './read-setting.ts'
import { foreignSettings, type SettingName, settings } from './settings.ts'

export type LogLevel = (typeof logLevels)[number]
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface Config {
  readonly host: string
  readonly port: number
  /** undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined
  readonly maxConnections: number
  readonly dataDirectory: string
  /** undefined: the embedded database. */
  readonly databaseUrl: Secret | undefined
  /** The setting it came from, for messages. */
  readonly databaseUrlSetting: SettingName
  readonly databasePoolSize: number
  /** The current key-encryption key, then those before it; undefined: the key file in the data directory. */
  readonly keks: readonly KekSource[] | undefined
  readonly keyServices: KeyServiceAccess
  readonly autoMigrate: boolean
  readonly allowedRedirectUris: readonly string[]
  readonly allowLoopbackProviders: boolean
  /** Hosts and patterns that alone are called; undefined: any. */
  readonly providerHosts: readonly string[] | undefined
  /** By which providers are called; undefined: directly. */
  readonly proxy: ProxyConfig | undefined
  readonly providerTimeoutMs: number
  readonly refresh: {
    readonly timeoutMs: number
    readonly concurrency: number
    readonly perProvider: number
    /** Seconds without a use after which a grant is kept alive only; null: never. */
    readonly unusedAfter: number | null
  }
  /** Seconds. */
  readonly eventRetention: number
  /** Full months of audit records that are kept besides the current one. */
  readonly auditMonths: number
  /** Addresses and ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly limits: {
    /** Requests of one caller in 10 seconds; 0: no limit. */
    readonly perCaller: number
    /** Requests of one address in a minute whose keys are none; 0: no limit. */
    readonly failuresPerAddress: number
    /** Exchanges of one address, and keys that one trust gives, in a minute; 0: no limit. */
    readonly exchanges: number
    /** undefined: each process counts by itself. */
    readonly redisUrl: Secret | undefined
  }
  readonly tracing: {
    /** Where spans are sent; undefined: nowhere, and nothing is traced. */
    readonly url: string | undefined
    /** 0 to 1. */
    readonly ratio: number
  }
  /** A debugger, heap snapshots and the like. */
  readonly allowInspect: boolean
  readonly shutdownTimeoutMs: number
  readonly logLevel: LogLevel
  /** Names that begin with AUTHCONN_ and are no setting: probably mistyped. */
  readonly unknownSettings: readonly string[]
}

/** The environment as one frozen value. Throws setting_invalid, which names the setting and what it takes. */
export function loadConfig(env: Environment): Config {
  requireTlsVerification(env)
  const database = databaseUrl(env)
  const keks = readKeks(env)
  return Object.freeze({
    host: read(env, 'AUTHCONN_HOST') ?? '127.0.0.1',
    port: integer(env, 'AUTHCONN_PORT', { min: 0, max: 65_535, fallback: 7345 }),
    tls: tls(env),
    maxConnections: integer(env, 'AUTHCONN_MAX_CONNECTIONS', { min: 10, max: 1_000_000, fallback: 10_000 }),
    dataDirectory: resolve(read(env, 'AUTHCONN_DATA_DIR') ?? defaultDataDirectory(env)),
    databaseUrl: database?.value,
    databaseUrlSetting: database?.from ?? 'DATABASE_URL',
    databasePoolSize: integer(env, 'AUTHCONN_DATABASE_POOL_SIZE', { min: 1, max: 200, fallback: 10 }),
    keks,
    keyServices: readKeyServices(env, keks),
    autoMigrate: boolean(env, 'AUTHCONN_AUTO_MIGRATE', true),
    allowedRedirectUris: redirectUris(env),
    allowLoopbackProviders: boolean(env, 'AUTHCONN_ALLOW_LOOPBACK_PROVIDERS', false),
    providerHosts: providerHosts(env),
    proxy: readProxy(env),
    providerTimeoutMs: 1000 * integer(env, 'AUTHCONN_PROVIDER_TIMEOUT', { min: 1, max: 60, fallback: 10 }),
    refresh: refresh(env),
    auditMonths: integer(env, 'AUTHCONN_AUDIT_MONTHS', { min: 1, max: 1200, fallback: 12 }),
    eventRetention: day * integer(env, 'AUTHCONN_EVENT_DAYS', { min: 1, max: 3650, fallback: 7 }),
    trustedProxies: trustedProxies(env),
    limits: limits(env),
    tracing: tracing(env),
    allowInspect: boolean(env, 'AUTHCONN_ALLOW_INSPECT', false),
    shutdownTimeoutMs: 1000 * integer(env, 'AUTHCONN_SHUTDOWN_TIMEOUT', { min: 1, max: 300, fallback: 25 }),
    logLevel: oneOf(env, 'AUTHCONN_LOG_LEVEL', logLevels, 'info'),
    unknownSettings: unknownSettings(env),
  })
}

const day = 86_400

function refresh(env: Environment): Config['refresh'] {
  const many = { min: 1, max: 1000 }
  const unusedDays = integer(env, 'AUTHCONN_REFRESH_UNUSED_DAYS', { min: 0, max: 3650, fallback: 30 })
  return Object.freeze({
    timeoutMs: 1000 * integer(env, 'AUTHCONN_REFRESH_TIMEOUT', { min: 1, max: 120, fallback: 20 }),
    concurrency: integer(env, 'AUTHCONN_REFRESH_CONCURRENCY', { min: 0, max: 1000, fallback: 32 }),
    perProvider: integer(env, 'AUTHCONN_REFRESH_CONCURRENCY_PER_PROVIDER', { ...many, fallback: 8 }),
    unusedAfter: unusedDays === 0 ? null : unusedDays * day,
  })
}

function tls(env: Environment): Config['tls'] {
  const certFile = read(env, 'AUTHCONN_TLS_CERT_FILE')
  const keyFile = read(env, 'AUTHCONN_TLS_KEY_FILE')
  if (certFile !== undefined && keyFile !== undefined) return Object.freeze({ certFile, keyFile })
  if (certFile !== undefined) throw invalid('AUTHCONN_TLS_KEY_FILE', 'must be set with AUTHCONN_TLS_CERT_FILE')
  if (keyFile !== undefined) throw invalid('AUTHCONN_TLS_CERT_FILE', 'must be set with AUTHCONN_TLS_KEY_FILE')
  return undefined
}

function trustedProxies(env: Environment): readonly string[] {
  const name = 'AUTHCONN_TRUSTED_PROXIES'
  return list(env, name).map((text) => {
    const range = parseAddressRange(text)
    // To believe everybody is to believe nobody: any client could be at any address.
    if (range && range.bits > 0) return formatAddressRange(range)
    throw invalid(
      name,
      `must hold IP addresses and ranges that begin where they say, such as 10.0.0.0/8, separated by commas; not "${text}"`,
    )
  })
}

function limits(env: Environment): Config['limits'] {
  const any = { min: 0, max: 999_999_999 }
  const url = secret(env, 'AUTHCONN_REDIS_URL', 'AUTHCONN_REDIS_URL_FILE')
  // The value may hold a password, so the error must not repeat it.
  if (url && !isRedisUrl(url.value.reveal())) {
    throw invalid(
      url.from,
      'must be a URL of the form redis://user:password@host:6379/0, or rediss:// for TLS, with special characters of the password percent-encoded',
    )
  }
  return Object.freeze({
    perCaller: integer(env, 'AUTHCONN_RATE_LIMIT', { ...any, fallback: 10_000 }),
    failuresPerAddress: integer(env, 'AUTHCONN_AUTH_FAILURE_LIMIT', { ...any, fallback: 30 }),
    exchanges: integer(env, 'AUTHCONN_EXCHANGE_LIMIT', { ...any, fallback: 600 }),
    redisUrl: url?.value,
  })
}

function isRedisUrl(text: string): boolean {
  return /^rediss?:\/\/[^/]/.test(text) && URL.canParse(text) && /^(\/\d*)?$/.test(new URL(text).pathname)
}

function tracing(env: Environment): Config['tracing'] {
  const name = 'AUTHCONN_OTLP_ENDPOINT'
  const text = read(env, name)
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined
  if (
    text !== undefined &&
    !(url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash)
  ) {
    throw invalid(
      name,
      'must be an http or https URL without a user, a query and a fragment, such as http://127.0.0.1:4318',
    )
  }
  return Object.freeze({
    url: url && `${url.href.replace(/\/$/, '')}/v1/traces`,
    ratio: integer(env, 'AUTHCONN_TRACE_PERCENT', { min: 0, max: 100, fallback: 100 }) / 100,
  })
}

function databaseUrl(env: Environment) {
  const url = secret(env, 'DATABASE_URL', 'DATABASE_URL_FILE')
  // The value holds a password, so the error must not repeat it.
  if (url && !isDatabaseUrl(url.value.reveal())) {
    throw invalid(
      url.from,
      'must be a URL of the form postgres://user:password@host:5432/database, with special characters of the password percent-encoded',
    )
  }
  return url
}

function isDatabaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, pathname } = new URL(text)
  // A bare % passes as a URL and fails in the driver.
  const isDecodable = [username, password, pathname].every((part) => !/%(?![0-9a-f]{2})/i.test(part))
  return /^postgres(ql)?:$/.test(protocol) && isDecodable
}

function redirectUris(env: Environment): readonly string[] {
  const uris = list(env, 'AUTHCONN_ALLOWED_REDIRECT_URIS')
  for (const uri of uris) {
    const url = URL.canParse(uri) ? new URL(uri) : undefined
    if (url?.protocol !== 'https:' || url.hash || url.username) {
      throw invalid('AUTHCONN_ALLOWED_REDIRECT_URIS', `must hold https URLs without a fragment, not "${uri}"`)
    }
  }
  return uris
}

function unknownSettings(env: Environment): string[] {
  const known = new Set<string>([...settings.map((setting) => setting.name), ...foreignSettings])
  // AUTHCONN_SERVICE_… and AUTHCONN_PORT_… come from Kubernetes, not from a person.
  return Object.keys(env).filter(
    (name) => name.startsWith('AUTHCONN_') && !known.has(name) && !/^AUTHCONN_(SERVICE|PORT)_/.test(name),
  )
}
