import { AuthconnError } from '@authconn/sdk'
import type { Keychain } from './keychain.ts'
import type { Profile } from './profile-store.ts'

export type OpenKeychain = () => Promise<Keychain>

/** Of the vault too: a profile whose file was changed to another address finds no key. */
export function accountOf({ name, url }: Pick<Profile, 'name' | 'url'>): string {
  return `${name} ${url}`
}

/** The API key of a profile, from its file or the keychain. Throws keychain_unavailable and unauthenticated. */
export async function readProfileKey(profile: Profile, openKeychain: OpenKeychain): Promise<string> {
  if (profile.apiKey !== undefined) return profile.apiKey
  const keychain = await openKeychain()
  const found = await keychain.find(accountOf(profile))
  if (found !== undefined) return found
  throw new AuthconnError(
    'unauthenticated',
    `The keychain holds no API key for the profile ${profile.name} at ${profile.url}.`,
    { hint: `Log in again: \`authconn login --profile ${profile.name}\`.` },
  )
}
