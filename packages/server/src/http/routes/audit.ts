import type { ReadAudit } from '../../core/audit/read-audit.ts'
import { AuthconnError } from '../../core/errors.ts'
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
        since: since === undefined ? undefined : readMoment('since', since),
        until: until === undefined ? undefined : readMoment('until', until),
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

/** A leap second is a valid date-time (RFC 3339 section 5.6), and no moment that a Date or a database has. */
function readMoment(name: 'since' | 'until', text: string): Date {
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new AuthconnError('invalid_request', `/query/${name} is no moment: its seconds end at 59`)
}
