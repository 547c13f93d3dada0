import { type AuthconnClient, type ClientOptions, createClient } from '@authconn/sdk'
import { type FoundVault, findVault, type Wanted } from './profiles/find-vault.ts'
import type { OpenKeychain } from './profiles/profile-key.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A client of the vault that findVault finds. Throws what that throws, and invalid_api_key. */
export async function connectToVault(
  env: Env,
  wanted: Wanted,
  openKeychain: OpenKeychain,
  as?: 'operator',
): Promise<AuthconnClient> {
  return clientOf(await findVault(env, wanted, openKeychain, as))
}

/** A client of a vault that was found. */
export function clientOf(
  { url, credential, allowInsecureHttp, fetch }: FoundVault,
  more: Pick<ClientOptions, 'timeout' | 'fetch'> = {},
): AuthconnClient {
  // A command line asks each time, so that what was revoked a moment ago is refused, and each token has its record.
  return createClient({ url, ...credential.options, allowInsecureHttp, fetch, reuseFor: 0, ...more })
}
