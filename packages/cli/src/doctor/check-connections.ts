import { type AuthconnClient, AuthconnError, type Connection } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { listConnections } from '../list-connections.ts'
import type { Check } from './check.ts'

/** The one that is named, or all; undefined, with a check that says why, where they cannot be seen. */
export async function findConnections(
  ctx: Context,
  vault: AuthconnClient,
  name: string | undefined,
): Promise<{ connections: Connection[]; checks: Check[] }> {
  try {
    if (name === undefined) return { connections: await listConnections(ctx), checks: [] }
    const { signal } = ctx
    return { connections: [await vault.call('getConnection', { params: { name } }, { signal })], checks: [] }
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

/** How the tokens of a connection are. */
export function checkConnection({ name, status, last_error: error, refreshable }: Connection): Check {
  const check = `connection ${name}`
  const again = `authconn authorize ${name}`
  if (status === 'pending') {
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
  if (!refreshable) {
    return {
      name: check,
      status: 'warning',
      detail: 'active, and without a refresh token: it ends with its access token',
      hint: `Authorize it with what gives one, such as the scope offline_access: \`${again} --scopes LIST\`.`,
    }
  }
  return { name: check, status: 'ok', detail: 'active' }
}
