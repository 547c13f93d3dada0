import type { Log } from '../ports.ts'
import type { AuditLog } from './audit-log.ts'

/** Refusals of keys and tokens that are none, of one process and about one workspace in a minute, that get a record each. */
const mostInMinute = 300

/**
 * An audit log in which nobody can write without end: of refusals of keys that are none, whoever floods the vault with
 * them, only so many a minute are recorded one by one. How many there were beyond is logged. Each workspace that a token
 * was presented to has a share of its own, and so have keys, of which nobody knows whose they were meant to be: a flood
 * upon one keeps no refusal out of the records of another.
 */
export function limitAnonymous(audit: AuditLog, deps: { clock(): Date; log: Log }): AuditLog {
  let minute = 0
  let left = 0
  const recorded = new Map<string | null, number>()

  return {
    ...audit,
    record(facts) {
      const kept = facts.filter(({ actor, workspaceId = null }) => actor !== null || takeOne(workspaceId))
      return kept.length > 0 ? audit.record(kept) : Promise.resolve()
    },
  }

  function takeOne(workspaceId: string | null): boolean {
    const now = Math.floor(deps.clock().getTime() / 60_000)
    if (now !== minute) {
      if (left > 0)
        deps.log.warn(
          { refusals: left },
          'refusals of keys and tokens that are none were left out of the audit log',
        )
      minute = now
      recorded.clear()
      left = 0
    }
    const count = recorded.get(workspaceId) ?? 0
    if (count >= mostInMinute) {
      left++
      return false
    }
    recorded.set(workspaceId, count + 1)
    return true
  }
}
