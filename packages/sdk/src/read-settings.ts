import { AuthconnError } from './authconn-error.ts'
import type { Env } from './environment.ts'
import { findPlatformIdentity, type PlatformIdentity } from './platform-identity.ts'
import { readTextFile } from './read-text-file.ts'

export interface Settings {
  url: string | undefined
  apiKey: string | undefined
  /** That of the CI job or pod, which is used where there is no API key. */
  identity: PlatformIdentity | undefined
  /** With which the identity is exchanged. */
  audience: string | undefined
  workspace: string | undefined
  trust: string | undefined
  allowInsecureHttp: boolean
  /** Seconds for which a token is given again without asking the vault. */
  reuseFor: number | undefined
}

/**
 * What AUTHCONN_URL, AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, AUTHCONN_ID_TOKEN or AUTHCONN_ID_TOKEN_FILE, the variables of
 * GitHub Actions, AUTHCONN_AUDIENCE, AUTHCONN_WORKSPACE, AUTHCONN_TRUST, AUTHCONN_ALLOW_INSECURE_HTTP and
 * AUTHCONN_TOKEN_REUSE_SECONDS say; a variable that is empty counts as not set. Throws usage where one cannot be used.
 */
export async function readSettings(env: Env): Promise<Settings> {
  return {
    url: env.AUTHCONN_URL || undefined,
    apiKey: await readApiKey(env.AUTHCONN_API_KEY, env.AUTHCONN_API_KEY_FILE),
    identity: findPlatformIdentity(env),
    audience: env.AUTHCONN_AUDIENCE || undefined,
    workspace: env.AUTHCONN_WORKSPACE || undefined,
    trust: env.AUTHCONN_TRUST || undefined,
    allowInsecureHttp: readSwitch('AUTHCONN_ALLOW_INSECURE_HTTP', env.AUTHCONN_ALLOW_INSECURE_HTTP),
    reuseFor: readSeconds('AUTHCONN_TOKEN_REUSE_SECONDS', env.AUTHCONN_TOKEN_REUSE_SECONDS),
  }
}

async function readApiKey(key: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (!file) return key || undefined
  if (key) throw refusal('AUTHCONN_API_KEY and AUTHCONN_API_KEY_FILE are both set; unset one.')
  const content = await readTextFile(file).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw refusal(`AUTHCONN_API_KEY_FILE cannot be read: ${reason}`, cause)
  })
  const stripped = content.replace(/\r?\n$/, '')
  if (stripped === '') throw refusal(`AUTHCONN_API_KEY_FILE names an empty file: ${file}`)
  return stripped
}

function readSeconds(name: string, value: string | undefined): number | undefined {
  if (!value) return undefined
  if (/^\d{1,5}$/.test(value)) return Number(value)
  throw refusal(`${name} takes a whole number of seconds.`)
}

/** Anything but the two words may have been meant either way. */
function readSwitch(name: string, value: string | undefined): boolean {
  if (value === 'true') return true
  if (value === undefined || value === '' || value === 'false') return false
  throw refusal(`${name} is true or false, not something else.`)
}

function refusal(detail: string, cause?: unknown): AuthconnError {
  return new AuthconnError('usage', detail, {
    title: 'A setting is not valid',
    hint: 'Correct or unset the environment variable.',
    cause,
  })
}
