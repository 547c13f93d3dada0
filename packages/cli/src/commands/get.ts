import type { Connection } from '@authconn/sdk'
import type { Event, Grant } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { text, toggle } from '../flags.ts'
import { getGrant } from '../get-grant.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import { subjectFlag } from '../output/command-line.ts'
import { describeConnection } from '../output/connection.ts'
import { eventTable } from '../output/event-table.ts'
import { plainLine } from '../output/plain.ts'

type Shown = Connection & Partial<Pick<Grant, 'subject'>> & { events?: Event[] }

export const get = defineCommand({
  operand: nameOperand,
  flags: {
    ...nameFlag,
    subject: text('SUBJECT', "show the grant of this user of the application, instead of the application's own"),
    history: toggle(
      'show the last 20 events, too: refreshes, failures and what ended a grant; of all subjects unless --subject says',
    ),
  },
  examples: [
    ['authconn get google-oauth', 'its provider, endpoints, status, next refresh and last error'],
    ['authconn get google-oauth --subject user-17', 'the same, with the status of what that user authorized'],
    ['authconn get google-oauth --history', 'since when it fails, and why'],
  ],

  async run(ctx, { subject, history, ...flags }, operands): Promise<Shown> {
    const name = await existingName(ctx, flags, operands)
    return ctx.waitFor('Asking the vault', fetchShown(ctx, name, { subject, history }))
  },

  render(connection, view) {
    const { name, subject, events } = connection
    const what = subject === undefined || subject === null ? name : `${name} for ${subject}`
    const described = `${view.paint.bold(plainLine(what))}\n${describeConnection(connection, view)}`
    return events === undefined ? described : `${described}\n\n${eventTable(events, view)}`
  },

  next({ name, status, subject = null }) {
    return status === 'active' ? undefined : `Next: authconn authorize ${name}${subjectFlag(subject)}`
  },
})

async function fetchShown(
  ctx: Context,
  name: string,
  { subject, history }: { subject: string | undefined; history: boolean | undefined },
): Promise<Shown> {
  const { signal } = ctx
  const vault = await ctx.vault()
  const connection = await vault.call('getConnection', { params: { name } }, { signal })
  const grant = subject === undefined ? {} : await getGrant(vault, name, subject, { signal })
  if (!history) return { ...connection, ...grant }
  const query = { limit: 20, ...(subject === undefined ? {} : { subject }) }
  const { events } = await vault.call('listEvents', { params: { name }, query }, { signal })
  return { ...connection, ...grant, events }
}
