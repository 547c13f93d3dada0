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

async function clientOfEnvironment(): Promise<AuthconnClient> {
  const { url, apiKey, allowInsecureHttp } = await readSettings(process.env)
  if (url !== undefined && apiKey !== undefined) return createClient({ url, apiKey, allowInsecureHttp })
  const missing = [url ? '' : 'AUTHCONN_URL', apiKey ? '' : 'AUTHCONN_API_KEY'].filter(Boolean).join(' and ')
  throw new AuthconnError('vault_not_configured', `The environment does not set ${missing}.`, {
    hint: 'Set AUTHCONN_URL and AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, or use createClient({ url, apiKey }).',
  })
}
