import type { Connection } from '@authconn/sdk'
import type { Grant } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import { text } from '../flags.ts'
import { getGrant } from '../get-grant.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { subjectFlag } from '../output/command-line.ts'
import { describeConnection } from '../output/connection.ts'
import { plainLine } from '../output/plain.ts'

export const get = defineCommand({
  operand: nameOperand,
  flags: {
    ...nameFlag,
    subject: text('SUBJECT', "show the grant of this user of the application, instead of the application's own"),
  },
  examples: [
    ['authconn get google-oauth', 'its provider, endpoints, status and last error'],
    ['authconn get google-oauth --subject user-17', 'the same, with the status of what that user authorized'],
  ],

  async run(ctx, flags, operands): Promise<Connection | (Connection & Grant)> {
    const { signal } = ctx
    const name = await existingName(ctx, flags, operands)
    const vault = await ctx.vault()
    const connection = await ctx.waitFor(
      'Asking the vault',
      vault.call('getConnection', { params: { name } }, { signal }),
    )
    if (flags.subject === undefined) return connection
    return {
      ...connection,
      ...(await ctx.waitFor('Asking the vault', getGrant(vault, name, flags.subject, { signal }))),
    }
  },

  render(connection, view) {
    const subject = 'subject' in connection && connection.subject !== null ? ` for ${connection.subject}` : ''
    return `${view.paint.bold(plainLine(connection.name + subject))}\n${describeConnection(connection, view)}`
  },

  next(connection) {
    if (connection.status === 'active') return undefined
    const subject = 'subject' in connection ? connection.subject : null
    return `Next: authconn authorize ${connection.name}${subjectFlag(subject)}`
  },
})
