import type { CreatedCaller } from '@authconn/shared'
import { permissions } from '@authconn/shared/permissions'
import { callerFlags, newCaller } from '../../callers/new-caller.ts'
import { defineCommand } from '../../command.ts'
import { describeKey, shownOnce } from '../../output/caller.ts'
import { plainLine } from '../../output/plain.ts'

export const createCaller = defineCommand({
  description:
    'The API key is in the result, this once: the vault keeps only its hash. A caller cannot be given what you do not hold yourself; what is not said is as it is for you. An administrator of the workspace may give permissions that it does not hold, apart from those that reach beyond the workspace.',
  operand: { label: 'caller', help: 'the name of the caller: letters, digits, dots, hyphens and underscores' },
  flags: callerFlags,
  terms: { heading: 'Permissions', meanings: permissions },
  examples: [
    [
      "authconn callers create ci --allow token:read --connection 'google-*' --no-subjects --expires 90d",
      "for a CI job that needs the application's own tokens",
    ],
    [
      'authconn callers create web --allow token:read,connection:read --all-subjects --address 10.0.0.0/8',
      'for servers on a private network, for all users of the application',
    ],
    [
      'authconn callers create deploy --allow token:read --json | jq -r .api_key | gh secret set AUTHCONN_API_KEY',
      'the key goes straight to where it is kept',
    ],
  ],

  async run(ctx, flags, operands): Promise<CreatedCaller> {
    const { signal } = ctx
    const body = newCaller(flags, operands)
    const vault = await ctx.vault()
    return ctx.waitFor('Creating the caller', vault.call('createCaller', { body }, { signal }))
  },

  render: (caller, view) => `Created ${view.paint.bold(plainLine(caller.name))}.\n${describeKey(caller, view)}`,

  next: () => shownOnce,
})
