import { type RawBuilder, sql } from 'kysely'
import type { Failure, GrantStore, RefreshFailure, SealedTokens } from '../../core/grant-port.ts'
import type { Database } from './database.ts'
import { tellDataKeyGone } from './database-errors.ts'
import { errorNow, fromIssue, secondsFromNow } from './grant-sql.ts'
import { type GrantRow, grantColumns, toGrant } from './rows.ts'

/*
 * What comes of an attempt, and the events that tell of it, each in one statement: no row stays locked while this process
 * stands still between two. `former` is the row as it was, if the lease is still its owner's on that generation.
 */

type After<F> = F extends (...args: infer A) => infer R ? (db: Database, ...args: A) => R : never

export const saveRefreshed: After<GrantStore['saveRefreshed']> = async (
  db,
  lease,
  tokens,
  { rejected = false, metadata = {} } = {},
) => {
  const refreshTokenEnds = refreshTokenEnd(tokens)
  const keepAlive = sql<Date | null>`least(${fromIssue(tokens.keepAliveIn, tokens.age)}, ${halfWayToFormerEnd(tokens)})`
  const write = sql<GrantRow & { now: Date }>`
    with former as (${held(lease)}),
    changed as (
      update grants set
        status = 'active',
        access_token = ${tokens.accessToken},
        refresh_token = ${orKept(tokens.refreshToken, sql`grants.refresh_token`)},
        refresh_token_expires_at = ${refreshTokenEnds},
        token_type = ${tokens.tokenType},
        scope = coalesce(${tokens.scope}::text, grants.scope),
        metadata = grants.metadata || ${JSON.stringify(metadata)}::jsonb,
        expires_at = ${fromIssue(tokens.expiresIn, tokens.age)},
        expiry_assumed = ${tokens.expiryAssumed},
        lifetime = ${tokens.expiresIn}::integer,
        refresh_due_at = least(${fromIssue(tokens.refreshDueIn, tokens.age)}, ${keepAlive}),
        keep_alive_at = ${keepAlive},
        generation = grants.generation + 1,
        lease_owner = null,
        lease_until = null,
        attempted_at = null,
        interrupted_at = null,
        blocked = false,
        retry_at = null,
        failure_count = 0,
        unrecognized_count = 0,
        rejections = ${rejected ? sql`grants.rejections + 1` : sql`0`},
        last_error = null,
        last_refreshed_at = now(),
        updated_at = now()
      from former where grants.id = former.id
      returning ${sql.join(grantColumns.map((column) => sql.ref(column)))}
    ),
    told as (${eventsOf(sql`
      select 'grant.refreshed', '{}'::jsonb from former
      union all select 'grant.recovered', '{}'::jsonb from former where former.failure_count > 0`)})
    select changed.*, now() as now from changed`
  const { rows } = await tellDataKeyGone(write.execute(db))
  const [row] = rows
  return row && { grant: toGrant(row), now: row.now }
}

/** An event for the first of several failures in a row, for one of another class, and for the one that ends the grant. */
export const saveFailure: After<GrantStore['saveFailure']> = async (db, lease, failure) => {
  const { error, status, retryIn, rotated } = failure
  const retryAt = retryIn === null ? sql<null>`null::timestamptz` : secondsFromNow(retryIn)
  const again = secondsFromNow(1)
  const event =
    status === 'expired'
      ? sql`select 'grant.expired', ${asJson(error)} from former`
      : sql`select 'grant.refresh_failed', ${asJson(error)} from former
          where former.failure_count = 0 or former.last_error ->> 'class' is distinct from ${error.class}`
  const write = sql<{ id: string }>`
    with former as (${held(lease)}),
    client as (${clientOf(failure)}),
    changed as (
      update grants set
        status = ${status},
        lease_owner = null,
        lease_until = null,
        failure_count = grants.failure_count + 1,
        unrecognized_count = grants.unrecognized_count + ${failure.unrecognized ? 1 : 0}::integer,
        blocked = client.refused,
        retry_at = case when client.changed then ${again} else ${retryAt} end,
        refresh_due_at = case when client.changed then ${again} else ${retryAt} end,
        last_error = ${errorNow(error)},
        attempted_at = null,
        interrupted_at = ${interruption(failure)},
        refresh_token = ${orKept(rotated, sql`grants.refresh_token`)},
        generation = grants.generation + ${status === 'expired' || rotated ? 1 : 0}::integer,
        updated_at = now()
      from former cross join client where grants.id = former.id
      returning grants.id
    ),
    told as (${eventsOf(event)})
    select id from changed`
  const { rows } = await tellDataKeyGone(write.execute(db))
  return rows.length === 1
}

function held({ grantId, generation, owner }: Parameters<GrantStore['saveRefreshed']>[0]) {
  return sql`select * from grants
    where id = ${grantId} and generation = ${generation} and lease_owner = ${owner} for update`
}

/**
 * Whether the client stays refused. Locked in share mode against an update of the connection: of an attempt with the
 * client secret before it, the refusal says nothing any more.
 */
function clientOf({ blocked }: RefreshFailure) {
  if (!blocked) return sql`select false as refused, false as changed`
  const unchanged = sql`date_trunc('milliseconds', connections.updated_at) = ${blocked.clientAsOf.toISOString()}::timestamptz`
  return sql`select ${unchanged} as refused, not ${unchanged} as changed
    from connections join former on former.connection_id = connections.id for share of connections`
}

/** Writes the events that a query over `former` makes of type and data. */
function eventsOf(query: RawBuilder<unknown>) {
  return sql`insert into events (id, workspace_id, connection_id, connection_name, grant_id, subject, type, data)
    select gen_random_uuid(), former.workspace_id, former.connection_id, connections.name, former.id, former.subject,
      event.type, event.data
    from former
    join connections on connections.id = former.connection_id
    cross join (${query}) as event (type, data)`
}

/** The first attempt with an unknown outcome counts; an answer to a later one says nothing of it. */
function interruption({ rotated, outcomeUnknown }: RefreshFailure) {
  if (rotated) return sql`null`
  return outcomeUnknown ? sql`coalesce(grants.interrupted_at, grants.attempted_at)` : sql`grants.interrupted_at`
}

/** RFC 6749 section 6: without a new refresh token the old one stays in use. */
function orKept(value: Uint8Array | null, kept: RawBuilder<unknown>) {
  return value === null ? kept : sql`${value}::bytea`
}

/** Of a new refresh token without a word nothing is known; an old one goes on as it was. */
function refreshTokenEnd({ refreshToken, refreshTokenExpiresIn, age }: SealedTokens) {
  if (refreshTokenExpiresIn !== null) return fromIssue(refreshTokenExpiresIn, age)
  return refreshToken ? sql`null::timestamptz` : sql`grants.refresh_token_expires_at`
}

/** What was said of the refresh token before is worth more than a cautious guess. */
function halfWayToFormerEnd({ refreshTokenExpiresIn }: SealedTokens) {
  if (refreshTokenExpiresIn !== null) return sql`null::timestamptz`
  return sql`case when grants.refresh_token_expires_at is not null
    then now() + greatest((grants.refresh_token_expires_at - now()) / 2, interval '1 minute') end`
}

function asJson(error: Failure) {
  return sql`${JSON.stringify(error)}::jsonb`
}
