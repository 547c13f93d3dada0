import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defaultDataDirectory } from '@authconn/shared/local'
import { isKek, kekBytes } from '../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { foreignSettings, type SettingName, settings } from './settings.ts'

export type LogLevel = (typeof logLevels)[number]
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export interface Config {
  readonly host: string
  readonly port: number
  readonly dataDirectory: string
  /** undefined: the embedded database. */
  readonly databaseUrl: Secret | undefined
  /** The setting it came from, for messages. */
  readonly databaseUrlSetting: SettingName
  readonly databasePoolSize: number
  /** The key in base64; undefined: the key file in the data directory. */
  readonly kek: Secret | undefined
  readonly autoMigrate: boolean
  readonly allowedRedirectUris: readonly string[]
  readonly allowLoopbackProviders: boolean
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
  readonly shutdownTimeoutMs: number
  readonly logLevel: LogLevel
  /** Names that begin with AUTHCONN_ and are no setting: probably mistyped. */
  readonly unknownSettings: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** The environment as one frozen value. Throws setting_invalid, which names the setting and what it takes. */
export function loadConfig(env: Environment): Config {
  const database = databaseUrl(env)
  return Object.freeze({
    host: read(env, 'AUTHCONN_HOST') ?? '127.0.0.1',
    port: integer(env, 'AUTHCONN_PORT', { min: 0, max: 65_535, fallback: 7345 }),
    dataDirectory: resolve(read(env, 'AUTHCONN_DATA_DIR') ?? defaultDataDirectory(env)),
    databaseUrl: database?.value,
    databaseUrlSetting: database?.from ?? 'DATABASE_URL',
    databasePoolSize: integer(env, 'AUTHCONN_DATABASE_POOL_SIZE', { min: 1, max: 200, fallback: 10 }),
    kek: kek(env),
    autoMigrate: boolean(env, 'AUTHCONN_AUTO_MIGRATE', true),
    allowedRedirectUris: redirectUris(env),
    allowLoopbackProviders: boolean(env, 'AUTHCONN_ALLOW_LOOPBACK_PROVIDERS', false),
    providerTimeoutMs: 1000 * integer(env, 'AUTHCONN_PROVIDER_TIMEOUT', { min: 1, max: 60, fallback: 10 }),
    refresh: refresh(env),
    eventRetention: day * integer(env, 'AUTHCONN_EVENT_DAYS', { min: 1, max: 3650, fallback: 7 }),
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

/** An empty value counts as none, as orchestrators pass one for a variable that is not set. */
function read(env: Environment, name: SettingName): string | undefined {
  return env[name] || undefined
}

function invalid(name: SettingName, problem: string): AuthconnError {
  return new AuthconnError('setting_invalid', `${name} ${problem}`)
}

function integer(
  env: Environment,
  name: SettingName,
  range: { min: number; max: number; fallback: number },
): number {
  const text = read(env, name)
  if (text === undefined) return range.fallback
  if (/^tcp:\/\//.test(text)) {
    throw invalid(
      name,
      'is set by Kubernetes for a service named "authconn": set enableServiceLinks: false in the pod, or rename the service',
    )
  }
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= range.min && number <= range.max)) {
    throw invalid(name, `must be a whole number from ${range.min} to ${range.max}, not "${text}"`)
  }
  return number
}

function boolean(env: Environment, name: SettingName, fallback: boolean): boolean {
  const text = read(env, name)
  if (text === undefined) return fallback
  if (text !== 'true' && text !== 'false') throw invalid(name, `must be true or false, not "${text}"`)
  return text === 'true'
}

function oneOf<T extends string>(env: Environment, name: SettingName, values: readonly T[], fallback: T): T {
  const text = read(env, name)
  if (text === undefined) return fallback
  const value = values.find((candidate) => candidate === text)
  if (!value) throw invalid(name, `must be one of ${values.join(', ')}, not "${text}"`)
  return value
}

/** A secret given by itself or by a file; never both, since it would be unclear which one counts. */
function secret(
  env: Environment,
  name: SettingName,
  fileName: SettingName,
): { value: Secret; from: SettingName } | undefined {
  const value = read(env, name)
  const file = read(env, fileName)
  if (value !== undefined && file !== undefined)
    throw invalid(name, `and ${fileName} are both set: keep one of them`)
  if (file === undefined) return value === undefined ? undefined : { value: new Secret(value), from: name }
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new AuthconnError('setting_invalid', `${fileName} names a file that cannot be read: ${file}`, { cause })
  }
  if (!text) throw invalid(fileName, `names an empty file: ${file}`)
  return { value: new Secret(text), from: fileName }
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

function kek(env: Environment): Secret | undefined {
  const key = secret(env, 'AUTHCONN_KEK', 'AUTHCONN_KEK_FILE')
  if (key && !isKek(key.value.reveal())) {
    throw invalid(
      key.from,
      `must ${key.from === 'AUTHCONN_KEK' ? 'be' : 'name a file that holds'} ${kekBytes} bytes in base64; make one with: openssl rand -base64 ${kekBytes}`,
    )
  }
  return key?.value
}

function redirectUris(env: Environment): readonly string[] {
  const uris = (read(env, 'AUTHCONN_ALLOWED_REDIRECT_URIS') ?? '').split(',').map((uri) => uri.trim())
  for (const uri of uris.filter(Boolean)) {
    const url = URL.canParse(uri) ? new URL(uri) : undefined
    if (url?.protocol !== 'https:' || url.hash || url.username) {
      throw invalid('AUTHCONN_ALLOWED_REDIRECT_URIS', `must hold https URLs without a fragment, not "${uri}"`)
    }
  }
  return uris.filter(Boolean)
}

function unknownSettings(env: Environment): string[] {
  const known = new Set<string>([...settings.map((setting) => setting.name), ...foreignSettings])
  // AUTHCONN_SERVICE_… and AUTHCONN_PORT_… come from Kubernetes, not from a person.
  return Object.keys(env).filter(
    (name) => name.startsWith('AUTHCONN_') && !known.has(name) && !/^AUTHCONN_(SERVICE|PORT)_/.test(name),
  )
}
