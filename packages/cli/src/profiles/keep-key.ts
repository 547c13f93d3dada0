import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import type { Keychain } from './keychain.ts'
import { accountOf } from './profile-key.ts'
import { createProfileStore, type Profile } from './profile-store.ts'

/**
 * Keeps a profile with its key, and nothing of what the profile was before. Resolves to where the key is now.
 * Throws keychain_unavailable where it must be the keychain and cannot.
 */
export async function keepKey(
  ctx: Pick<Context, 'env' | 'openKeychain' | 'say' | 'warn'>,
  profile: Profile & { apiKey: string },
  store: 'auto' | 'keychain' | 'file',
  former: Profile | undefined,
): Promise<'keychain' | 'file'> {
  const profiles = createProfileStore(ctx.env)
  const keychain = store === 'file' ? undefined : await usableKeychain(ctx, profile, store === 'keychain')
  if (keychain) await keychain.keep(accountOf(profile), profile.apiKey)
  await profiles.save(keychain ? { ...profile, apiKey: undefined } : profile)
  const stays = keychain !== undefined && former !== undefined && accountOf(former) === accountOf(profile)
  if (former !== undefined && former.apiKey === undefined && !stays) {
    await forget(ctx, former)
  }
  return keychain ? 'keychain' : 'file'
}

/** The new key is kept and works by now; a former one that cannot be reached is no reason to fail. */
async function forget(ctx: Pick<Context, 'openKeychain' | 'warn'>, former: Profile): Promise<void> {
  try {
    await (await ctx.openKeychain()).forget(accountOf(former))
  } catch (error) {
    if (!(error instanceof AuthconnError)) throw error
    ctx.warn(
      `The former key of the profile ${former.name} for ${former.url} could not be removed from the keychain: ${error.detail}`,
    )
  }
}

/** Asked a harmless question first: on a machine without a screen there is a library, and no service behind it. */
async function usableKeychain(
  ctx: Pick<Context, 'openKeychain' | 'say'>,
  profile: Profile,
  insisted: boolean,
): Promise<Keychain | undefined> {
  try {
    const keychain = await ctx.openKeychain()
    await keychain.find(accountOf(profile))
    return keychain
  } catch (error) {
    if (insisted || !(error instanceof AuthconnError)) throw error
    ctx.say(`There is no keychain that can be used (${error.detail}); the key is kept in a file of mode 0600.`)
    return undefined
  }
}
