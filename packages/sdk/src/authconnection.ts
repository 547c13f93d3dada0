import type { Token } from '@authconn/shared'
import { AuthconnError } from './authconn-error.ts'
import { createAuthenticatedFetch } from './create-authenticated-fetch.ts'
import { type AuthconnClient, createClient } from './create-client.ts'
import { readSettings } from './read-settings.ts'
import type { GetConnectionToken } from './token-query.ts'

/**
 * The vault of the environment: AUTHCONN_URL and AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, read at each call.
 * `const { access_token } = await authconnection.getConnectionToken('google-oauth')`
 */
export const authconnection: Pick<AuthconnClient, 'getConnectionToken' | 'authenticatedFetch'> = {
  getConnectionToken,
  authenticatedFetch: (name, options) => createAuthenticatedFetch(getConnectionToken, name, options),
}

async function getConnectionToken(...asked: Parameters<GetConnectionToken>): Promise<Token> {
  const client = await clientOfEnvironment()
  return client.getConnectionToken(...asked)
}

let latest: { settings: string; client: AuthconnClient } | undefined

/** The same client as before while the environment is the same: it holds tokens, and lets callers share their fetches. */
async function clientOfEnvironment(): Promise<AuthconnClient> {
  const { url, apiKey, allowInsecureHttp, reuseFor } = await readSettings(environment())
  if (url !== undefined && apiKey !== undefined) {
    const settings = JSON.stringify([url, apiKey, allowInsecureHttp, reuseFor])
    if (latest?.settings !== settings) {
      latest = { settings, client: createClient({ url, apiKey, allowInsecureHttp, reuseFor }) }
    }
    return latest.client
  }
  const missing = [url ? '' : 'AUTHCONN_URL', apiKey ? '' : 'AUTHCONN_API_KEY'].filter(Boolean).join(' and ')
  throw new AuthconnError('vault_not_configured', `The environment does not set ${missing}.`, {
    hint: 'Set AUTHCONN_URL and AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, or use createClient({ url, apiKey }).',
  })
}

/** Empty on a platform that hands settings over in another way, as some edge runtimes do. */
function environment(): Readonly<Record<string, string | undefined>> {
  const { process }: { process?: Partial<Pick<NodeJS.Process, 'env'>> } = globalThis
  return process?.env ?? {}
}
