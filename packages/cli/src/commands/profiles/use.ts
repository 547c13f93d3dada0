import { AuthconnError } from '@authconn/sdk'
import { defineCommand } from '../../command.ts'
import { localProfile, notFound } from '../../profiles/find-vault.ts'
import { createProfileStore } from '../../profiles/profile-store.ts'

export const useProfile = defineCommand({
  description:
    'Commands that name no vault go to this one from now on; `local` stands for the vault on this machine.',
  operand: { label: 'profile', help: 'the name of the profile' },
  flags: {},
  examples: [
    ['authconn profiles use prod', 'from now on'],
    ['authconn profiles use local', 'the vault on this machine'],
  ],

  async run(ctx, _flags, operands): Promise<{ profile: string }> {
    const [name] = operands
    if (name === undefined) throw new AuthconnError('usage', 'The name of the profile is missing.')
    const store = createProfileStore(ctx.env)
    if (name !== localProfile && (await store.find(name)) === undefined) throw notFound(name, await store.names())
    await store.use(name)
    return { profile: name }
  },

  render: ({ profile }) => `The current profile is ${profile}.`,
})
