import { AuthconnError, adviceForIdentity, audienceOf, noIdentity } from '@authconn/sdk'
import { type FoundCredentials, findLocalCredentials, findOperatorKey } from '../local-credentials.ts'
import type { Credential } from './credential.ts'
import type { FoundVault } from './find-vault.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The vault on this machine; what is missing comes from there. Its key goes to no other vault. */
export async function vaultOnThisMachine(
  env: Env,
  url: string | undefined,
  other: Credential | undefined,
  as: 'operator' | undefined,
): Promise<Omit<FoundVault, 'allowInsecureHttp'>> {
  const { file, credentials } = await findLocalCredentials(env)
  if (credentials === undefined) {
    if (url !== undefined) throw noKey(env, url)
    const missing = other === undefined ? '' : `${other.variable} is set, but not AUTHCONN_URL. `
    throw new AuthconnError(
      'vault_not_configured',
      `${missing}No vault on this machine has left its address in ${file}.`,
    )
  }
  if (url !== undefined && !(URL.canParse(url) && new URL(url).href === new URL(credentials.url).href)) {
    throw noKey(env, url, `; the one in ${file} is for ${credentials.url} only`)
  }
  const operatorKey = as === 'operator' ? await findOperatorKey(env) : undefined
  return {
    url: credentials.url,
    credential: other ?? { options: { apiKey: operatorKey ?? credentials.api_key }, from: file, variable: file },
    from: 'this machine',
    fetch: await provenFetch(credentials, file),
  }
}

/** Says what was looked for where a job or a pod could have had it. */
function noKey(env: Env, url: string, besides = ''): AuthconnError {
  const advice = adviceForIdentity(env, URL.canParse(url) ? audienceOf(url) : url)
  if (advice === undefined) return new AuthconnError('unauthenticated', `No API key is set for ${url}${besides}.`)
  const detail = `No API key is set for ${url}${besides}. This platform gives no identity: ${noIdentity}.`
  return new AuthconnError('unauthenticated', detail, { hint: advice })
}

async function provenFetch(
  { url, proof_key }: NonNullable<FoundCredentials['credentials']>,
  file: string,
): Promise<typeof fetch> {
  if (proof_key !== undefined) {
    const { fetchFromGenuineVault } = await import('../fetch-from-genuine-vault.ts')
    return fetchFromGenuineVault({ url, proof_key }, file)
  }
  throw new AuthconnError('vault_not_genuine', `${file} holds nothing by which to know the vault at ${url}.`, {
    title: 'The vault on this machine cannot be told from another program',
    hint: 'Restart the vault (`authconn-server start`): it then writes what is missing into the file.',
  })
}
