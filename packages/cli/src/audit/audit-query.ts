import type { AuditOutcome } from '@authconn/shared'
import { type FlagValues, integer, moment, oneOf, text } from '../flags.ts'
import { defined } from '../input/defined.ts'

const outcomes = ['allowed', 'denied', 'failed'] as const satisfies readonly AuditOutcome[]

export const auditFlags = {
  since: moment('from when on', 'back'),
  until: moment('up to when', 'back'),
  connection: text('NAME', 'what concerns this connection'),
  caller: text('NAME', 'what this caller did, or was denied'),
  outcome: oneOf(outcomes, 'what came of it'),
  limit: integer('N', 'the newest so many', { from: 1, to: 100_000, fallback: 100 }),
}

export type AuditQuery = ReturnType<typeof auditQuery>

/** What the vault is asked for, apart from the page. */
export function auditQuery(flags: Omit<FlagValues<typeof auditFlags>, 'limit'>) {
  const { since, until, connection, caller, outcome } = flags
  return defined({ since, until, connection, caller, outcome })
}
