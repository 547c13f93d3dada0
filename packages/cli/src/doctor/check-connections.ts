import { type AuthconnClient, AuthconnError, type Connection } from '@authconn/sdk'
import type { Provider } from '@authconn/shared'
import type { Context } from '../context.ts'
import { listConnections } from '../list-connections.ts'
import type { Check } from './check.ts'

/** How the one that is named is, or all of them; none, with a check that says why, where they cannot be seen. */
export async function findConnections(
  ctx: Context,
  vault: AuthconnClient,
  name: string | undefined,
): Promise<{ connections: Connection[]; checks: Check[] }> {
  const { signal } = ctx
  try {
    const connections =
      name === undefined
        ? await listConnections(ctx, vault)
        : [await vault.call('getConnection', { params: { name } }, { signal })]
    const { providers } = connections.some(ends) ? await vault.call('listProviders', {}, { signal }) : noProviders
    const checks = connections.map((connection) =>
      checkConnection(
        connection,
        providers.find(({ id }) => id === connection.provider),
      ),
    )
    return { connections, checks }
  } catch (error) {
    ctx.signal.throwIfAborted()
    if (!(error instanceof AuthconnError)) throw error
    // A misspelled name is told as everywhere; of a key that may not look nothing is wrong.
    if (error.code === 'connection_not_found' || error.code === 'invalid_request') throw error
    const status = error.code === 'permission_denied' ? 'skipped' : 'failed'
    const check: Check = { name: 'connections', status, detail: error.detail, hint: error.hint }
    return { connections: [], checks: [check] }
  }
}

const noProviders: { providers: Provider[] } = { providers: [] }

/** Whether its access token ends, and no other can be had by itself. */
function ends({ status, refreshable, expires_at }: Connection): boolean {
  return status === 'active' && !refreshable && expires_at !== null
}

/** How the tokens of a connection are. */
function checkConnection(connection: Connection, provider: Provider | undefined): Check {
  const { name, status, last_error: error, grant_type: grantType } = connection
  const check = `connection ${name}`
  const again = `authconn authorize ${name}`
  if (status === 'pending' && error === null) {
    if (grantType !== 'authorization_code')
      return { name: check, status: 'ok', detail: 'no token was fetched yet' }
    return { name: check, status: 'warning', detail: 'it was never authorized', hint: `Run \`${again}\`.` }
  }
  if (status !== 'active') {
    const why = error === null ? '' : `: ${error.code}, ${error.detail}`
    return { name: check, status: 'failed', detail: `${status}${why}`, hint: `Run \`${again}\`.` }
  }
  if (error !== null) {
    return {
      name: check,
      status: error.class === 'passing' ? 'warning' : 'failed',
      detail: `the last refresh failed: ${error.code}, ${error.detail}`,
      hint: `See \`authconn get ${name} --history\`.`,
    }
  }
  if (ends(connection)) {
    return {
      name: check,
      status: 'warning',
      detail: 'active, and without a refresh token: it ends with its access token',
      hint: toBeRefreshable(again, provider),
    }
  }
  const endless = connection.refreshable ? '' : ', with a token that has no end'
  return { name: check, status: 'ok', detail: `active${endless}` }
}

function toBeRefreshable(again: string, provider: Provider | undefined): string {
  if (provider === undefined) {
    return `Look up for what the provider gives refresh tokens, often a scope, and authorize it with that: \`${again} --scopes LIST\`.`
  }
  const { id, name, refresh_token: refreshToken, scopes } = provider
  if (refreshToken.rotation === 'none') return `${name} gives no refresh tokens: run \`${again}\` when it ends.`
  return scopes.offline === undefined
    ? `See \`authconn providers ${id}\` for what is known of its refresh tokens, and the settings of the application there; then run \`${again}\`.`
    : `Permit the scope ${scopes.offline} to the application at ${name}, then run \`${again}\`, which asks for it.`
}
