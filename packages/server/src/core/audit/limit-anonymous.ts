import type { Log } from '../ports.ts'
import type { AuditLog } from './audit-log.ts'

/** Refusals of keys that are none, of one process in a minute, that get a record each. */
const mostInMinute = 300

/**
 * An audit log in which nobody can write without end: of refusals of keys that are none, whoever floods the vault with
 * them, only so many a minute are recorded one by one. How many there were beyond is logged.
 */
export function limitAnonymous(audit: AuditLog, deps: { clock(): Date; log: Log }): AuditLog {
  let minute = 0
  let recorded = 0
  let left = 0

  return {
    ...audit,
    async record(facts) {
      const kept = facts.filter(({ actor }) => actor !== null || takeOne())
      if (kept.length > 0) await audit.record(kept)
    },
  }

  function takeOne(): boolean {
    const now = Math.floor(deps.clock().getTime() / 60_000)
    if (now !== minute) {
      if (left > 0)
        deps.log.warn({ refusals: left }, 'refusals of keys that are none were left out of the audit log')
      minute = now
      recorded = 0
      left = 0
    }
    if (recorded >= mostInMinute) {
      left++
      return false
    }
    recorded++
    return true
  }
}
