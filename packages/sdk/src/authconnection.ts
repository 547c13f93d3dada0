import type { Token } from '@authconn/shared'
import { AuthconnError } from './authconn-error.ts'
import { createAuthenticatedFetch } from './create-authenticated-fetch.ts'
import { type AuthconnClient, createClient } from './create-client.ts'
import { environment } from './environment.ts'
import { readClaims } from './exchange-identity.ts'
import type { IdentityRequest } from './identity.ts'
import { adviceForIdentity, identityTokenOf, type PlatformIdentity } from './platform-identity.ts'
import { readSettings } from './read-settings.ts'
import { readTextFile } from './read-text-file.ts'
import type { GetConnectionToken } from './token-query.ts'

/**
 * The vault of the environment: AUTHCONN_URL, and AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE or else the identity that the
 * platform gives to a CI job or a pod; read at each call.
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

let latest: { settings: string; holder: string | undefined; client: AuthconnClient } | undefined

/** The same client as before while the environment is the same: it holds tokens, and lets callers share their fetches. */
async function clientOfEnvironment(): Promise<AuthconnClient> {
  const env = environment()
  const settings = await readSettings(env)
  const { url, apiKey, identity, audience, workspace, trust, ...rest } = settings
  if (url !== undefined && (apiKey !== undefined || identity !== undefined)) {
    const same = JSON.stringify(settings)
    const holder = await holderOf(identity)
    const isOther = holder !== undefined && latest?.holder !== undefined && holder !== latest.holder
    if (latest?.settings !== same || isOther) {
      const credential =
        apiKey === undefined && identity !== undefined
          ? { identity: (asked: IdentityRequest) => identityTokenOf(identity, asked), audience, workspace, trust }
          : { apiKey }
      latest = { settings: same, holder, client: createClient({ url, ...credential, ...rest }) }
    }
    latest.holder ??= holder
    return latest.client
  }
  const hasKey = apiKey !== undefined || identity !== undefined
  const missing = [url ? '' : 'AUTHCONN_URL', hasKey ? '' : 'AUTHCONN_API_KEY'].filter(Boolean).join(' and ')
  const advice = hasKey || url === undefined ? undefined : adviceForIdentity(env, url)
  throw new AuthconnError('vault_not_configured', `The environment does not set ${missing}.`, {
    hint:
      advice ??
      'Set AUTHCONN_URL and AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, or use createClient({ url, apiKey }).',
  })
}

/**
 * Whose token the file of the platform holds now, as the token says; undefined where none can be read, which the exchange
 * tells when it needs one. A file with a new token of the same holder, as platforms write it, changes nothing.
 */
async function holderOf(identity: PlatformIdentity | undefined): Promise<string | undefined> {
  if (identity?.kind !== 'file') return undefined
  const token = await readTextFile(identity.file).catch(() => '')
  const claims: { iss?: unknown; sub?: unknown } | undefined = readClaims(token)
  return claims && JSON.stringify([claims.iss, claims.sub])
}
