import { AuthconnError } from './authconn-error.ts'
import { type AuthconnClient, createClient } from './create-client.ts'

/**
 * The vault of the environment: AUTHCONN_URL and AUTHCONN_API_KEY, read at each call.
 * `const { access_token } = await authconnection.getConnectionToken('google-oauth')`
 */
export const authconnection: Pick<AuthconnClient, 'getConnectionToken'> = {
  async getConnectionToken(name, options) {
    return clientOfEnvironment().getConnectionToken(name, options)
  },
}

function clientOfEnvironment(): AuthconnClient {
  const { AUTHCONN_URL: url, AUTHCONN_API_KEY: apiKey, AUTHCONN_ALLOW_INSECURE_HTTP: insecure } = process.env
  if (!url || !apiKey) {
    const missing = [url ? '' : 'AUTHCONN_URL', apiKey ? '' : 'AUTHCONN_API_KEY'].filter(Boolean).join(' and ')
    throw new AuthconnError('vault_not_configured', `The environment does not set ${missing}.`, {
      hint: 'Set AUTHCONN_URL and AUTHCONN_API_KEY, or use createClient({ url, apiKey }).',
    })
  }
  return createClient({ url, apiKey, allowInsecureHttp: insecure === 'true' })
}
