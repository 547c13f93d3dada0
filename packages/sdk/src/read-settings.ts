import { readFile } from 'node:fs/promises'
import { AuthconnError } from './authconn-error.ts'

export interface Settings {
  url: string | undefined
  apiKey: string | undefined
  allowInsecureHttp: boolean
}

/**
 * What AUTHCONN_URL, AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, and AUTHCONN_ALLOW_INSECURE_HTTP say; a variable that
 * is empty counts as not set. Throws usage where one cannot be used.
 */
export async function readSettings(env: Readonly<Record<string, string | undefined>>): Promise<Settings> {
  return {
    url: env.AUTHCONN_URL || undefined,
    apiKey: await readApiKey(env.AUTHCONN_API_KEY, env.AUTHCONN_API_KEY_FILE),
    allowInsecureHttp: readSwitch('AUTHCONN_ALLOW_INSECURE_HTTP', env.AUTHCONN_ALLOW_INSECURE_HTTP),
  }
}

async function readApiKey(key: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (!file) return key || undefined
  if (key) throw refusal('AUTHCONN_API_KEY and AUTHCONN_API_KEY_FILE are both set; unset one.')
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw refusal(`AUTHCONN_API_KEY_FILE cannot be read: ${reason}`, cause)
  })
  const stripped = content.replace(/\r?\n$/, '')
  if (stripped === '') throw refusal(`AUTHCONN_API_KEY_FILE names an empty file: ${file}`)
  return stripped
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
