import { AuthconnError, readSettings } from '@authconn/sdk'
import { nearest } from '../nearest.ts'
import { quickFetch } from '../quick-fetch.ts'
import { type Credential, credentialOfEnvironment, credentialOfJob } from './credential.ts'
import { type OpenKeychain, readProfileKey } from './profile-key.ts'
import { createProfileStore, type Profile } from './profile-store.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What the flags of the command line say about the vault. */
export interface Wanted {
  vaultUrl: string | undefined
  profile: string | undefined
}

export interface FoundVault {
  url: string
  credential: Credential
  allowInsecureHttp: boolean
  /** Where the address comes from, in words. */
  from: string
  fetch: typeof fetch
}

/** The name that stands for the vault on this machine among the profiles. */
export const localProfile = 'local'

const currentOne = 'the current one'

/**
 * The vault: of --profile; of --vault-url or AUTHCONN_URL; of AUTHCONN_PROFILE; on this machine, in AUTHCONN_DATA_DIR;
 * of the current profile; on this machine. What it is asked with: the key of --profile; that of AUTHCONN_API_KEY or
 * AUTHCONN_API_KEY_FILE, or the OIDC token of AUTHCONN_ID_TOKEN or AUTHCONN_ID_TOKEN_FILE, but neither for a current profile;
 * for a vault that is named by its address the identity of a job; the key that was kept for that vault, which goes to no
 * other. Throws vault_not_configured, unauthenticated, login_expired, profile_not_found, keychain_unavailable,
 * vault_not_genuine, usage or key_file_unsafe.
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
  const ofEnvironment = credentialOfEnvironment(env, settings)
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
  const credential = ofEnvironment ?? credentialOfJob(settings)
  if (url !== undefined && credential !== undefined) {
    const from = vaultUrl === undefined ? 'AUTHCONN_URL' : '--vault-url'
    return { url, credential, allowInsecureHttp, from, fetch: quickFetch }
  }
  // Loaded here only, with the cryptography it takes: who names a vault elsewhere does not wait for it.
  const { vaultOnThisMachine } = await import('./vault-on-this-machine.ts')
  // Who names that vault by --profile wants its key, too.
  const other = profile === undefined ? ofEnvironment : undefined
  return { ...(await vaultOnThisMachine(env, url, other, as)), allowInsecureHttp }
}

/** Where the last login was says nothing about whose key the environment holds. */
function forNoVault({ variable }: Credential, current: string): AuthconnError {
  return new AuthconnError(
    'usage',
    `${variable} is set without AUTHCONN_URL; it is not sent to the vault of the current profile ${current}.`,
    {
      hint: `Set AUTHCONN_URL to the vault that it is for. If it is for the one of ${current}, set AUTHCONN_PROFILE=${current}. To use the key of the profile, unset ${variable} or give --profile ${current}.`,
    },
  )
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
  other: Credential | undefined,
  openKeychain: OpenKeychain,
): Promise<Omit<FoundVault, 'allowInsecureHttp'>> {
  const store = createProfileStore(env)
  const profile = await store.find(name)
  if (profile === undefined) throw notFound(name, await store.names())
  const kept = async (): Promise<Credential> => {
    refuseEnded(profile)
    const from = profile.apiKey === undefined ? 'the keychain' : store.fileOf(name)
    return { options: { apiKey: await readProfileKey(profile, openKeychain) }, from, variable: from }
  }
  return {
    url: profile.url,
    credential: other ?? (await kept()),
    from: `the profile ${name} (${by})`,
    fetch: quickFetch,
  }
}

/** The vault would say no more than that the key is not valid. */
function refuseEnded({ name, url, login }: Profile, now = new Date()): void {
  if (login === undefined || !(Date.parse(login.expiresAt) <= now.getTime())) return
  throw new AuthconnError(
    'login_expired',
    `The login of the profile ${name} at ${url} ended at ${login.expiresAt}: \`authconn login --oidc --profile ${name}\` renews it.`,
  )
}

export function notFound(name: string, names: readonly string[]): AuthconnError {
  const near = nearest(name, names)
  const known = names.length === 0 ? 'There are none yet.' : `There are: ${names.join(', ')}.`
  const meant = near === undefined ? known : `Did you mean ${near}?`
  return new AuthconnError('profile_not_found', `There is no profile ${name}. ${meant}`)
}
