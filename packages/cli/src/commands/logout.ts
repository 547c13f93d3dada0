import { AuthconnError } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { toggle } from '../flags.ts'
import { endKey, keyToEnd } from '../profiles/end-login.ts'
import { localProfile, notFound } from '../profiles/find-vault.ts'
import { accountOf } from '../profiles/profile-key.ts'
import { createProfileStore } from '../profiles/profile-store.ts'

export const logout = defineCommand({
  description:
    'Forgets the key of the current profile, or of the one that --profile or AUTHCONN_PROFILE names. The key itself stays valid, and `authconn callers revoke` ends it; one of login --oidc is ended in the vault.',
  flags: { all: toggle('forget all profiles') },
  examples: [
    ['authconn logout', 'forgets the current profile'],
    ['authconn logout --profile prod', 'forgets one of several'],
  ],

  async run(ctx, { all }): Promise<{ profiles: string[] }> {
    const store = createProfileStore(ctx.env)
    const current = await store.current()
    const names = all ? await store.names() : [ctx.wanted.profile ?? (ctx.env.AUTHCONN_PROFILE || current)]
    const forgotten: string[] = []
    for (const name of names) {
      if (name === undefined) throw new AuthconnError('profile_not_found', 'There is no current profile.')
      if (name === localProfile) {
        throw new AuthconnError(
          'usage',
          'The vault on this machine keeps its own key: there is nothing to log out of.',
        )
      }
      const profile = await store.find(name)
      if (profile === undefined) throw notFound(name, await store.names())
      const ended = await keyToEnd(ctx, profile)
      if (ended !== undefined) await endKey(ctx, profile, ended)
      // The key first: a profile without it can be logged out of again, and the other way about it would be forgotten.
      if (profile.apiKey === undefined) await (await ctx.openKeychain()).forget(accountOf(profile))
      await store.remove(name)
      if (name === current) await store.use(undefined)
      forgotten.push(name)
    }
    return { profiles: forgotten }
  },

  render: ({ profiles }) =>
    profiles.length === 0 ? 'There were no profiles.' : `Logged out of ${profiles.join(', ')}.`,
})
