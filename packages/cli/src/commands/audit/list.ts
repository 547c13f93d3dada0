import { AuthconnError } from '@authconn/sdk'
import type { AuditRecord } from '@authconn/shared'
import { auditFlags, auditQuery } from '../../audit/audit-query.ts'
import { fetchRecords } from '../../audit/fetch-records.ts'
import { followRecords } from '../../audit/follow-records.ts'
import { defineCommand } from '../../command.ts'
import type { Context } from '../../context.ts'
import { toggle } from '../../flags.ts'
import { auditHeading, auditLine, auditTable } from '../../output/audit-table.ts'
import { toJsonLine } from '../../output/to-json.ts'
import { viewFor } from '../../output/view.ts'

export const listAudit = defineCommand({
  description:
    'One record for each decision: allowed (it was done), denied (the caller may not) or failed (it may, and it did not work). A key for some connections and subjects sees what concerns those, and what it did itself.',
  flags: {
    ...auditFlags,
    follow: toggle('go on with those that come, newest last, until Ctrl-C; with --json one record in each line'),
  },
  examples: [
    ['authconn audit list --since 2h', 'the last two hours, the newest 100 at most'],
    ['authconn audit list --outcome denied --since 7d', 'who was denied what this week'],
    [
      'authconn audit list --connection google-oauth --caller ci --limit 1000',
      'what one caller did with one connection',
    ],
    ['authconn audit list --follow --json | jq -c .action', 'as it happens, for programs'],
  ],

  async run(ctx, { follow, limit, ...flags }): Promise<{ records: AuditRecord[]; more: boolean } | undefined> {
    const { signal } = ctx
    const query = auditQuery(flags)
    if (follow && query.until !== undefined) {
      throw new AuthconnError('usage', '--follow has no end, and --until is one.')
    }
    const vault = await ctx.vault()
    if (!follow) return ctx.waitFor('Asking the vault', fetchRecords(vault, query, limit, { signal }))
    try {
      await followRecords(ctx, vault, query, limit, printer(ctx))
    } catch (error) {
      // The way in which it is meant to end.
      if (!signal.aborted) throw error
    }
    return undefined
  },

  render({ records }, view) {
    return records.length === 0 ? 'There are no such records.' : auditTable(records, view)
  },

  next: ({ records, more }) =>
    more ? `These are the newest ${records.length}. For more: --limit, or --since and --until.` : undefined,
})

function printer(ctx: Context): (records: readonly AuditRecord[]) => void {
  const { json, stdout } = ctx
  const view = viewFor(ctx)
  const line = json ? toJsonLine : (record: AuditRecord) => auditLine(record, view)
  if (!json) stdout.write(`${auditHeading(view)}\n`)
  return (records) => {
    if (records.length > 0) stdout.write(`${records.map(line).join('\n')}\n`)
  }
}
