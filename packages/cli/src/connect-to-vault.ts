import { type AuthconnClient, createClient } from '@authconn/sdk'
import { findVault, type Wanted } from './profiles/find-vault.ts'
import type { OpenKeychain } from './profiles/profile-key.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A client of the vault that findVault finds. Throws what that throws, and invalid_api_key. */
export async function connectToVault(
  env: Env,
  wanted: Wanted,
  openKeychain: OpenKeychain,
  as?: 'operator',
): Promise<AuthconnClient> {
  const { from: _, ...options } = await findVault(env, wanted, openKeychain, as)
  // A command line asks each time, so that what was revoked a moment ago is refused, and each token has its record.
  return createClient({ ...options, reuseFor: 0 })
}
