import {
  type AuthconnClient,
  AuthconnError,
  type ClientOptions,
  createClient,
  readSettings,
  type Settings,
} from '@authconn/sdk'
import { fetchFromGenuineVault } from './fetch-from-genuine-vault.ts'
import { type FoundCredentials, findLocalCredentials, findOperatorKey } from './local-credentials.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * A client of the vault that the flag, the environment or a vault on this machine names, in that order.
 * Throws vault_not_configured, vault_not_genuine, unauthenticated, usage, invalid_api_key or key_file_unsafe.
 */
export async function connectToVault(
  env: Env,
  vaultUrl: string | undefined,
  as?: 'operator',
): Promise<AuthconnClient> {
  const { allowInsecureHttp, ...settings } = await readSettings(env)
  const options = await complete(env, { url: vaultUrl ?? settings.url, apiKey: settings.apiKey }, as)
  // A command line asks each time, so that what was revoked a moment ago is refused, and each token has its record.
  return createClient({ ...options, allowInsecureHttp, reuseFor: 0 })
}

/** Takes what is missing from the vault on this machine; its key goes to no other vault. */
async function complete(
  env: Env,
  { url, apiKey }: Pick<Settings, 'url' | 'apiKey'>,
  as: 'operator' | undefined,
): Promise<ClientOptions> {
  if (url !== undefined && apiKey !== undefined) return { url, apiKey }
  const { file, credentials } = await findLocalCredentials(env)
  if (credentials === undefined) {
    if (url !== undefined) throw new AuthconnError('unauthenticated', `No API key is set for ${url}.`)
    const missing = apiKey === undefined ? '' : 'AUTHCONN_API_KEY is set, but not AUTHCONN_URL. '
    throw new AuthconnError(
      'vault_not_configured',
      `${missing}No vault on this machine has left its address in ${file}.`,
    )
  }
  if (url !== undefined && !(URL.canParse(url) && new URL(url).href === new URL(credentials.url).href)) {
    throw new AuthconnError(
      'unauthenticated',
      `No API key is set for ${url}; the one in ${file} is for ${credentials.url} only.`,
    )
  }
  const operatorKey = as === 'operator' ? await findOperatorKey(env) : undefined
  return {
    url: credentials.url,
    apiKey: apiKey ?? operatorKey ?? credentials.api_key,
    fetch: provenFetch(credentials, file),
  }
}

function provenFetch(
  { url, proof_key }: NonNullable<FoundCredentials['credentials']>,
  file: string,
): typeof fetch {
  if (proof_key !== undefined) return fetchFromGenuineVault({ url, proof_key }, file)
  throw new AuthconnError('vault_not_genuine', `${file} holds nothing by which to know the vault at ${url}.`, {
    title: 'The vault on this machine cannot be told from another program',
    hint: 'Restart the vault (`authconn-server start`): it then writes what is missing into the file.',
  })
}
