import type { Connection } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { nameFlag, nameOperand } from '../input/connection-name.ts'
import { connectionUpdate, updateFlags } from '../input/connection-update.ts'
import { describeConnection } from '../output/connection.ts'
import { plainLine } from '../output/plain.ts'

export const update = defineCommand({
  description:
    'What is not given stays as it is; the new client secret is asked for in a terminal, unless a private key is given. What was authorized stays authorized. Until the overlap is over, the vault uses the former client secret or key where the provider refuses the new one: it does not matter which is changed first, the one here or the one at the provider.',
  operand: nameOperand,
  flags: { ...nameFlag, ...updateFlags },
  examples: [
    ['authconn update google-oauth', 'asks for the new client secret'],
    ['authconn update google-oauth --client-secret-file secret.txt', 'after the client secret was rotated'],
    [
      'pass show acme | authconn update acme --client-secret - --overlap 0',
      'when the former one has leaked: it is forgotten at once',
    ],
    [
      'authconn update acme --client-auth client_secret_post',
      'for a provider that wants the secret in the body of the request',
    ],
  ],

  async run(ctx, flags, operands): Promise<Connection> {
    const { signal } = ctx
    const { name, body } = await connectionUpdate(ctx, flags, operands)
    const vault = await ctx.vault()
    return ctx.waitFor(
      'Updating the connection',
      vault.call('updateConnection', { params: { name }, body }, { signal }),
    )
  },

  render: (connection, view) =>
    `Updated ${view.paint.bold(plainLine(connection.name))}.\n${describeConnection(connection, view)}`,

  next: ({ name, status, refreshable }) => {
    if (status !== 'active') return `Next: authconn authorize ${name}`
    return refreshable ? `To try it now: authconn token ${name} --refresh` : undefined
  },
})
