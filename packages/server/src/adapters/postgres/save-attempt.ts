import { type ExpressionBuilder, sql } from 'kysely'
import type { Failure, GrantStore } from '../../core/grant-port.ts'
import type { Database, Tables } from './database.ts'
import { insertEvents, type NewEvent } from './event-store.ts'
import { errorNow, fromIssue, secondsFromNow, tokenColumns } from './grant-sql.ts'
import { underLease } from './leases.ts'
import { grantColumns, toGrant } from './rows.ts'

type After<F> = F extends (...args: infer A) => infer R ? (db: Database, ...args: A) => R : never

/** What there was before the write, for the events that tell of a change. */
const before = (db: Database, grantId: string) =>
  db
    .selectFrom('grants')
    .select(['failure_count', 'blocked'])
    .where('id', '=', grantId)
    .forUpdate()
    .executeTakeFirst()

/** The new tokens with the events that tell of them, in one transaction. */
export const saveRefreshed: After<GrantStore['saveRefreshed']> = (db, lease, tokens) =>
  db.transaction().execute(async (trx) => {
    const former = await before(trx, lease.grantId)
    const row = await underLease(trx, lease)
      .set({
        ...tokenColumns(tokens),
        last_refreshed_at: sql<Date>`now()`,
        ...refreshTokenColumns(tokens),
        ...(tokens.scope === null ? {} : { scope: tokens.scope }),
      })
      .returning(grantColumns)
      .returning(sql<Date>`now()`.as('now'))
      .executeTakeFirst()
    if (!row) return undefined
    const recovered: NewEvent[] = former?.failure_count ? [{ type: 'grant.recovered', data: {} }] : []
    await insertEvents(trx, lease.grantId, [{ type: 'grant.refreshed', data: {} }, ...recovered])
    return { grant: toGrant(row), now: row.now }
  })

/** The failure, and an event for the first of several in a row and for the one that ends the grant. */
export const saveFailure: After<GrantStore['saveFailure']> = (db, lease, failure) =>
  db.transaction().execute(async (trx) => {
    const { error, status, retryIn, rotated } = failure
    const former = await before(trx, lease.grantId)
    const retryAt = retryIn === null ? null : secondsFromNow(retryIn)
    const { numUpdatedRows } = await underLease(trx, lease)
      .set((eb) => ({
        status,
        lease_owner: null,
        lease_until: null,
        failure_count: eb('failure_count', '+', 1),
        unrecognized_count: eb('unrecognized_count', '+', failure.unrecognized ? 1 : 0),
        blocked: failure.blocked,
        retry_at: retryAt,
        refresh_due_at: retryAt,
        last_error: errorNow(error),
        attempted_at: null,
        interrupted_at: rotated ? null : interruption(eb, failure.outcomeUnknown),
        updated_at: sql<Date>`now()`,
        ...(rotated ? { refresh_token: rotated } : {}),
        ...(status === 'expired' ? { generation: eb('generation', '+', 1) } : {}),
      }))
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) return false
    await insertEvents(trx, lease.grantId, eventsOfFailure(status, error, former?.failure_count === 0))
    return true
  })

function eventsOfFailure(status: 'active' | 'expired', data: Failure, isFirst: boolean): NewEvent[] {
  if (status === 'expired') return [{ type: 'grant.expired', data }]
  return isFirst ? [{ type: 'grant.refresh_failed', data }] : []
}

/** The first attempt with an unknown outcome counts; an answer to a later one says nothing of it. */
function interruption(eb: ExpressionBuilder<Tables, 'grants'>, outcomeUnknown: boolean) {
  return outcomeUnknown ? eb.fn.coalesce('interrupted_at', 'attempted_at') : eb.ref('interrupted_at')
}

/** RFC 6749 section 6: without a new refresh token the old one stays in use. */
function refreshTokenColumns({ refreshToken, refreshTokenExpiresIn, age }: Parameters<typeof tokenColumns>[0]) {
  return {
    ...(refreshToken ? { refresh_token: refreshToken } : {}),
    // Of a new one without a word nothing is known; an old one goes on as it was.
    ...(refreshToken || refreshTokenExpiresIn !== null
      ? { refresh_token_expires_at: fromIssue(refreshTokenExpiresIn, age) }
      : {}),
  }
}
