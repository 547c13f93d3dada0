import type { KeyObject } from 'node:crypto'
import type { AuditReport } from '@authconn/shared'
import type { AuditQuery, AuditRow, AuditStore } from '../audit-port.ts'
import { requirePermission } from '../callers/permissions.ts'
import type { Caller } from '../ports.ts'
import type { AuditCheckpoints } from './checkpoint-audit.ts'
import { type AuditVerdict, verifyAudit } from './verify-audit.ts'

export interface ReadAudit {
  /** What concerns the caller's connections and subjects, and what it did itself. Throws permission_denied. */
  list(by: Caller, query: AuditQuery): Promise<AuditRow[]>
  /** Of other workspaces the report tells whether they are intact, and nothing else. Throws permission_denied. */
  verify(by: Caller, knownHead: string | undefined): Promise<AuditReport>
}

export function createReadAudit(deps: {
  store: AuditStore
  checkpoints: AuditCheckpoints
  key: KeyObject
}): ReadAudit {
  const { store, checkpoints } = deps
  // It reads everything there is: those who ask for the same meanwhile share it.
  const running = new Map<string, Promise<{ verdict: AuditVerdict; head: string | null }>>()

  return {
    async list(by, query) {
      requirePermission(by, 'audit:read')
      const { id: actor, connections, subjects } = by
      return store.list(by.workspaceId, query, { actor, connections, subjects })
    },
    async verify(by, knownHead) {
      requirePermission(by, 'audit:read')
      const shared = running.get(knownHead ?? '')
      if (shared) return reportFor(by, await shared)
      const verification = verify(knownHead).finally(() => running.delete(knownHead ?? ''))
      running.set(knownHead ?? '', verification)
      return reportFor(by, await verification)
    },
  }

  async function verify(knownHead: string | undefined) {
    // What this process has recorded so far is vouched for from here on.
    await checkpoints.write()
    const verdict = await verifyAudit(store, deps.key, knownHead)
    // So is what others left without, and was found to hold.
    if (verdict.intact) await checkpoints.vouchFor(verdict.unvouched)
    return { verdict, head: await checkpoints.head() }
  }
}

function reportFor(by: Caller, { verdict, head }: { verdict: AuditVerdict; head: string | null }): AuditReport {
  const { intact, checkpoints, records, problems } = verdict
  const seesAll = by.permissions.includes('vault:operate')
  const count = seesAll
    ? [...records.values()].reduce((sum, each) => sum + each, 0)
    : (records.get(by.workspaceId) ?? 0)
  return {
    intact,
    records: count,
    checkpoints,
    problems: problems.map(({ kind, record, detail, workspaceId }) =>
      seesAll || workspaceId === by.workspaceId || workspaceId === null
        ? { kind, record, detail }
        : { kind, record: null, detail: 'In the records of another workspace' },
    ),
    head,
  }
}
