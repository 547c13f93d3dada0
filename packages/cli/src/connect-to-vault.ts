import { readFile } from 'node:fs/promises'
import { type AuthconnClient, AuthconnError, createClient } from '@authconn/sdk'
import { findLocalCredentials } from './local-credentials.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * A client of the vault that the flag, the environment or a vault on this machine names, in that order.
 * Throws vault_not_configured, unauthenticated, usage, invalid_api_key or key_file_unsafe.
 */
export async function connectToVault(env: Env, vaultUrl: string | undefined): Promise<AuthconnClient> {
  const url = vaultUrl ?? (env.AUTHCONN_URL || undefined)
  const apiKey = await readApiKey(env)
  const settings = url !== undefined && apiKey !== undefined ? { url, apiKey } : await complete(env, url, apiKey)
  return createClient({ ...settings, allowInsecureHttp: readSwitch(env, 'AUTHCONN_ALLOW_INSECURE_HTTP') })
}

async function readApiKey(env: Env): Promise<string | undefined> {
  const { AUTHCONN_API_KEY: key, AUTHCONN_API_KEY_FILE: file } = env
  if (!file) return key || undefined
  if (key) throw new AuthconnError('usage', 'AUTHCONN_API_KEY and AUTHCONN_API_KEY_FILE are both set; unset one.')
  const content = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AuthconnError('usage', `AUTHCONN_API_KEY_FILE cannot be read: ${reason(cause)}`, { cause })
  })
  const stripped = content.replace(/\r?\n$/, '')
  if (stripped === '') throw new AuthconnError('usage', `AUTHCONN_API_KEY_FILE names an empty file: ${file}`)
  return stripped
}

/** Takes what is missing from the vault on this machine; its key goes to no other vault. */
async function complete(env: Env, url: string | undefined, apiKey: string | undefined) {
  const { file, credentials } = await findLocalCredentials(env)
  if (credentials === undefined) {
    if (url !== undefined) throw new AuthconnError('unauthenticated', `No API key is set for ${url}.`)
    const missing = apiKey === undefined ? '' : 'AUTHCONN_API_KEY is set, but not AUTHCONN_URL. '
    throw new AuthconnError(
      'vault_not_configured',
      `${missing}No vault on this machine has left its address in ${file}.`,
    )
  }
  if (url === undefined) return { url: credentials.url, apiKey: apiKey ?? credentials.api_key }
  if (URL.canParse(url) && new URL(url).href === new URL(credentials.url).href)
    return { url, apiKey: credentials.api_key }
  throw new AuthconnError(
    'unauthenticated',
    `No API key is set for ${url}; the one in ${file} is for ${credentials.url} only.`,
  )
}

function readSwitch(env: Env, name: string): boolean {
  const value = env[name]
  if (value === 'true') return true
  if (value === undefined || value === '' || value === 'false') return false
  throw new AuthconnError('usage', `${name} is true or false, not something else.`)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
