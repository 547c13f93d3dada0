import { AuthconnError, readSettings } from '@authconn/sdk'
import type { FoundCredentials } from '../local-credentials.ts'
import { nearest } from '../nearest.ts'
import { quickFetch } from '../quick-fetch.ts'
import { type OpenKeychain, readProfileKey } from './profile-key.ts'
import { createProfileStore } from './profile-store.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What the flags of the command line say about the vault. */
export interface Wanted {
  vaultUrl: string | undefined
  profile: string | undefined
}

export interface FoundVault {
  url: string
  apiKey: string
  allowInsecureHttp: boolean
  /** Where both come from, in words. */
  from: { vault: string; key: string }
  fetch: typeof fetch
}

/** The name that stands for the vault on this machine among the profiles. */
export const localProfile = 'local'

const currentOne = 'the current one'

/**
 * The vault: of --profile; of --vault-url or AUTHCONN_URL; of AUTHCONN_PROFILE; on this machine, in AUTHCONN_DATA_DIR;
 * of the current profile; on this machine. The key: of --profile; of AUTHCONN_API_KEY or AUTHCONN_API_KEY_FILE, but not
 * for a current profile; the one that was kept for that vault, which goes to no other. Throws vault_not_configured,
 * unauthenticated, profile_not_found, keychain_unavailable, vault_not_genuine, usage or key_file_unsafe.
 */
export async function findVault(
  env: Env,
  { vaultUrl, profile }: Wanted,
  openKeychain: OpenKeychain,
  as?: 'operator',
): Promise<FoundVault> {
  if (profile !== undefined && vaultUrl !== undefined) {
    throw new AuthconnError('usage', '--profile says where the vault is; leave out --vault-url.')
  }
  const settings = await readSettings(env)
  const { allowInsecureHttp } = settings
  const ofEnvironment = keyOfEnvironment(env, settings.apiKey)
  if (profile !== undefined && profile !== localProfile) {
    return { ...(await ofProfile(env, profile, '--profile', undefined, openKeychain)), allowInsecureHttp }
  }
  const url = profile === undefined ? (vaultUrl ?? settings.url) : undefined
  if (url === undefined) {
    const [name, from] = profile === undefined ? await impliedProfile(env) : []
    if (name !== undefined && from !== undefined && name !== localProfile) {
      if (from === currentOne && ofEnvironment !== undefined) throw forNoVault(ofEnvironment, name)
      return { ...(await ofProfile(env, name, from, ofEnvironment, openKeychain)), allowInsecureHttp }
    }
  }
  const urlFrom = vaultUrl === undefined ? 'AUTHCONN_URL' : '--vault-url'
  if (url !== undefined && ofEnvironment !== undefined) {
    const from = { vault: urlFrom, key: ofEnvironment.from }
    return { url, apiKey: ofEnvironment.apiKey, allowInsecureHttp, from, fetch: quickFetch }
  }
  // Who names that vault by --profile wants its key, too.
  const other = profile === undefined ? ofEnvironment : undefined
  return { ...(await onThisMachine(env, url, other, as)), allowInsecureHttp }
}

/** Where the last login was says nothing about whose key the environment holds. */
function forNoVault({ from }: Key, current: string): AuthconnError {
  return new AuthconnError(
    'usage',
    `${from} is set without AUTHCONN_URL; it is not sent to the vault of the current profile ${current}.`,
    {
      hint: `Set AUTHCONN_URL to the vault that the key is for. If it is for the one of ${current}, set AUTHCONN_PROFILE=${current}. To use the key of the profile, unset ${from} or give --profile ${current}.`,
    },
  )
}

interface Key {
  apiKey: string
  from: string
}

function keyOfEnvironment(env: Env, apiKey: string | undefined): Key | undefined {
  if (apiKey === undefined) return undefined
  return { apiKey, from: env.AUTHCONN_API_KEY_FILE ? 'AUTHCONN_API_KEY_FILE' : 'AUTHCONN_API_KEY' }
}

async function impliedProfile(env: Env): Promise<[name?: string, from?: string]> {
  if (env.AUTHCONN_PROFILE) return [env.AUTHCONN_PROFILE, 'AUTHCONN_PROFILE']
  // Who says where the vault on this machine keeps its data means that one.
  if (env.AUTHCONN_DATA_DIR) return []
  const current = await createProfileStore(env).current()
  return current === undefined ? [] : [current, currentOne]
}

async function ofProfile(
  env: Env,
  name: string,
  by: string,
  other: Key | undefined,
  openKeychain: OpenKeychain,
): Promise<Omit<FoundVault, 'allowInsecureHttp'>> {
  const store = createProfileStore(env)
  const profile = await store.find(name)
  if (profile === undefined) throw notFound(name, await store.names())
  const kept = profile.apiKey === undefined ? 'the keychain' : store.fileOf(name)
  return {
    url: profile.url,
    apiKey: other?.apiKey ?? (await readProfileKey(profile, openKeychain)),
    from: { vault: `the profile ${name} (${by})`, key: other?.from ?? kept },
    fetch: quickFetch,
  }
}

export function notFound(name: string, names: readonly string[]): AuthconnError {
  const near = nearest(name, names)
  const known = names.length === 0 ? 'There are none yet.' : `There are: ${names.join(', ')}.`
  const meant = near === undefined ? known : `Did you mean ${near}?`
  return new AuthconnError('profile_not_found', `There is no profile ${name}. ${meant}`)
}

/** What is missing comes from the vault on this machine; its key goes to no other vault. */
async function onThisMachine(
  env: Env,
  url: string | undefined,
  other: Key | undefined,
  as: 'operator' | undefined,
): Promise<Omit<FoundVault, 'allowInsecureHttp'>> {
  // Loaded here only, with the cryptography it takes: who names a vault elsewhere does not wait for it.
  const { findLocalCredentials, findOperatorKey } = await import('../local-credentials.ts')
  const { file, credentials } = await findLocalCredentials(env)
  if (credentials === undefined) {
    if (url !== undefined) throw new AuthconnError('unauthenticated', `No API key is set for ${url}.`)
    const missing = other === undefined ? '' : `${other.from} is set, but not AUTHCONN_URL. `
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
    apiKey: other?.apiKey ?? operatorKey ?? credentials.api_key,
    from: { vault: 'this machine', key: other?.from ?? file },
    fetch: await provenFetch(credentials, file),
  }
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
