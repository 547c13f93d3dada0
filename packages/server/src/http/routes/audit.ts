import type { ReadAudit } from '../../core/audit/read-audit.ts'
import type { Handlers } from '../operation.ts'
import { cutPage, toPage } from '../page.ts'
import { auditId, viewAudit } from '../views.ts'

export function auditRoutes(deps: { readAudit: ReadAudit }): Pick<Handlers, 'listAudit' | 'verifyAudit'> {
  return {
    async listAudit({ caller, query }) {
      const { page, limit } = toPage(query)
      const { since, until, connection, caller: name, outcome } = query
      const found = await deps.readAudit.list(caller, {
        ...page,
        since: since === undefined ? undefined : new Date(since),
        until: until === undefined ? undefined : new Date(until),
        connection,
        caller: name,
        outcome,
      })
      const { rows, next } = cutPage(found, limit, auditId)
      return { records: rows.map(viewAudit), next }
    },
    async verifyAudit({ caller, body }) {
      return deps.readAudit.verify(caller, body.head)
    },
  }
}
