import { AuthconnError, createClient, readSettings } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { quickFetch } from '../quick-fetch.ts'
import { readProfileKey } from './profile-key.ts'
import type { Profile } from './profile-store.ts'

/** Milliseconds: what the command is for is done without the vault. */
const patience = 5000

/**
 * The key that the login of a profile gave, which nobody but its holder and an administrator can end. undefined where it is
 * another kind of key, which may be in use elsewhere, where it has ended by itself, and where it is not kept any more.
 * Throws keychain_unavailable.
 */
export async function keyToEnd(
  { openKeychain }: Pick<Context, 'openKeychain'>,
  profile: Profile | undefined,
  now = new Date(),
): Promise<string | undefined> {
  if (profile?.login === undefined || Date.parse(profile.login.expiresAt) <= now.getTime()) return undefined
  return readProfileKey(profile, openKeychain).catch((error: unknown) => {
    if (error instanceof AuthconnError && error.code === 'unauthenticated') return undefined
    throw error
  })
}

/** Has the vault end the key of a login. A failure to do so is told, not thrown. */
export async function endKey(
  ctx: Pick<Context, 'env' | 'signal' | 'warn' | 'waitFor'>,
  { name, url, login }: Profile,
  apiKey: string,
): Promise<void> {
  try {
    const { allowInsecureHttp } = await readSettings(ctx.env)
    const vault = createClient({ url, apiKey, allowInsecureHttp, fetch: quickFetch, timeout: patience })
    await ctx.waitFor('Asking the vault', vault.call('revokeSelf', {}, { signal: ctx.signal }))
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!(error instanceof AuthconnError)) throw error
    // It is over already: by its time, or since somebody has revoked the trust.
    if (error.code === 'invalid_api_key') return
    ctx.warn(
      `the key that the login of the profile ${name} gave could not be ended in the vault at ${url}: ${error.detail} It ends by itself at ${login?.expiresAt}; an administrator can end it by \`authconn callers revoke\`.`,
    )
  }
}
