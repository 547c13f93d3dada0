import type { Self } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import { clientOf } from '../connect-to-vault.ts'
import { describeSelf } from '../output/caller.ts'
import { findVault } from '../profiles/find-vault.ts'

export type WhoAmI = Self & { vault: { url: string; from: string; key_from: string } }

export const whoami = defineCommand({
  description:
    'Asks the vault whose API key this is, and tells where the vault and the key were found: the first of --profile; --vault-url; AUTHCONN_URL; AUTHCONN_PROFILE; AUTHCONN_DATA_DIR; the current profile; the vault on this machine. AUTHCONN_API_KEY goes before the identity of a CI job or a pod, and both before the key that was kept, unless --profile is given.',
  flags: {},
  examples: [
    ['authconn whoami', 'which vault, which workspace, and what the key may do'],
    ["authconn whoami --json | jq -r '.permissions[]'", 'for programs'],
  ],

  async run(ctx): Promise<WhoAmI> {
    const found = await findVault(ctx.env, ctx.wanted, ctx.openKeychain)
    const asked = clientOf(found).call('getSelf', {}, { signal: ctx.signal })
    const self = await ctx.waitFor('Asking the vault', asked)
    return { ...self, vault: { url: found.url, from: found.from, key_from: found.credential.from } }
  },

  render: describeSelf,
})
