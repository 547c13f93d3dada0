import type { ManageCallers } from '../../core/callers/manage-callers.ts'
import type { Handlers } from '../operation.ts'
import { cutPage, toPage } from '../page.ts'
import { viewCaller } from '../views.ts'

export function callerRoutes(deps: {
  manageCallers: ManageCallers
}): Pick<Handlers, 'createCaller' | 'listCallers' | 'revokeCaller'> {
  return {
    async createCaller({ caller, body }) {
      const created = await deps.manageCallers.create(caller, body)
      return { ...viewCaller(created.caller), api_key: created.apiKey.reveal() }
    },
    async listCallers({ caller, query }) {
      const { page, limit } = toPage(query)
      const { rows, next } = cutPage(await deps.manageCallers.list(caller, page), limit, (row) => row.name)
      return { callers: rows.map(viewCaller), next }
    },
    async revokeCaller({ caller, params }) {
      return viewCaller(await deps.manageCallers.revoke(caller, params.id))
    },
  }
}
