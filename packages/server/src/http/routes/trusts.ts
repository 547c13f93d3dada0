import { issuedTokenType } from '@authconn/shared'
import type { Trust, TrustStore } from '../../core/trust-port.ts'
import type { ExchangeToken } from '../../core/trusts/exchange-token.ts'
import type { ManageTrusts } from '../../core/trusts/manage-trusts.ts'
import type { Handlers } from '../operation.ts'
import { cutPage, toPage } from '../page.ts'
import { viewTrust } from '../views.ts'

type Operations = 'createTrust' | 'listTrusts' | 'getTrust' | 'revokeTrust' | 'exchangeToken' | 'listLogins'

export function trustRoutes(deps: {
  manageTrusts: ManageTrusts
  exchangeToken: ExchangeToken
  trusts: Pick<TrustStore, 'listLogins'>
}): Pick<Handlers, Operations> {
  return {
    async createTrust({ caller, body }) {
      return viewTrust(await deps.manageTrusts.create(caller, body))
    },
    async listTrusts({ caller, query }) {
      const { page, limit } = toPage(query)
      const { rows, next } = cutPage(await deps.manageTrusts.list(caller, page), limit, (row) => row.name)
      return { trusts: rows.map(viewTrust), next }
    },
    async getTrust({ caller, params }) {
      return viewTrust(await deps.manageTrusts.get(caller, params.name))
    },
    async revokeTrust({ caller, params }) {
      return viewTrust(await deps.manageTrusts.revoke(caller, params.name))
    },
    async exchangeToken({ body, from }) {
      const { apiKey, caller, expiresIn, trust, workspace } = await deps.exchangeToken(body, from)
      if (!caller.expiresAt) throw new Error('A caller that a trust has made has no end')
      return {
        access_token: apiKey.reveal(),
        issued_token_type: issuedTokenType,
        token_type: 'Bearer',
        expires_in: expiresIn,
        expires_at: caller.expiresAt.toISOString(),
        caller: caller.name,
        trust: trust.name,
        workspace,
      }
    },
    async listLogins({ query }) {
      return { logins: (await deps.trusts.listLogins(query.workspace ?? 'default')).flatMap(viewLogin) }
    },
  }
}

function viewLogin({ name, issuer, login }: Trust) {
  return login ? [{ trust: name, issuer, ...login }] : []
}
