import { AuthconnError } from '@authconn/sdk'
import type { AuditReport } from '@authconn/shared'
import { exitCodes } from '@authconn/shared/errors'
import { defineCommand } from '../../command.ts'
import { text } from '../../flags.ts'
import { plainLine } from '../../output/plain.ts'
import { table } from '../../output/table.ts'

/** Milliseconds; it reads everything that the vault has ever recorded. */
const patience = 3_600_000

export const verifyAudit = defineCommand({
  description:
    'Reads the whole log, of all workspaces. It ends in a head: the newest checkpoint, which vouches for all before it. Whoever holds the database and the key of the vault could write the log anew, and would get by everything but a head that was kept elsewhere: keep the newest, and give it to the next verification.',
  flags: { head: text('N:MAC', 'the head that a former verification ended in, which must still be there') },
  exits: { 1: 'something was found' },
  examples: [
    ['authconn audit verify', 'is it intact in itself, and what is its head?'],
    ['authconn audit verify --head 41:9f86d0…', 'is it also the one that was verified before?'],
    ['authconn audit verify --json | jq -r .head', 'the head alone, to be kept'],
  ],

  async run(ctx, { head }): Promise<AuditReport> {
    const { signal } = ctx
    if (head !== undefined && !/^\d{1,18}:[0-9a-f]{64}$/.test(head)) {
      throw new AuthconnError(
        'usage',
        '--head takes what a former verification ended in: a number, a colon, 64 hex digits.',
      )
    }
    const vault = await ctx.vault()
    const body = head === undefined ? {} : { head }
    return ctx.waitFor('Verifying', vault.call('verifyAudit', { body }, { signal, timeout: patience }))
  },

  render(report, view) {
    const { intact, problems, head } = report
    const verdict = intact
      ? `${view.paint.green('Intact')}: ${amounts(report)}, each as it was written.`
      : `${view.paint.red('Not intact')}: among ${amounts(report)} was found:`
    return [
      verdict,
      ...(problems.length === 0 ? [] : ['', found(problems, view), '']),
      ...(head === null ? [] : [`Head: ${plainLine(head)}`]),
    ].join('\n')
  },

  next({ intact, head }) {
    if (!intact) {
      return 'Keep the database as it is, and compare it with a backup. What was verified with a head before is known to be true up to it.'
    }
    return head === null ? undefined : `Keep the head elsewhere. Next time: authconn audit verify --head ${head}`
  },

  exitCode: ({ intact }) => (intact ? 0 : exitCodes.internal),
})

function amounts({ records, checkpoints }: AuditReport): string {
  return `${count(records, 'record')} and ${count(checkpoints, 'checkpoint')}`
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`
}

function found(problems: AuditReport['problems'], view: Parameters<typeof table>[1]): string {
  return table(
    [
      { heading: 'WHAT', cells: problems.map(({ kind }) => kind), paint: view.paint.red },
      { heading: 'WHERE', cells: problems.map(({ record }) => record ?? '-') },
      { heading: 'DETAIL', cells: problems.map(({ detail }) => detail) },
    ],
    view,
  )
}
