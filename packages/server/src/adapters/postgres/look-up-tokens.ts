import type { GrantStatus, Permission } from '@authconn/shared'
import { CompiledQuery } from 'kysely'
import type { LastError } from '../../core/grant-port.ts'
import type { TokenLookup, TokenQuestion, TokenSight } from '../../core/token-port.ts'
import { arrayText } from './array-text.ts'
import type { Database } from './database.ts'
import { often } from './often.ts'

/*
 * The statement of every fetch, so it is written once and by hand: who asks, and for what, for as many requests as came
 * together. It reads what is there now and nothing that was kept, so that a revocation holds for the next request
 * everywhere. Each table is looked into by all of its key, one row for each question: `offset 0` keeps the planner from
 * joining by a part of it, which it does where an average connection has few grants, and reads all of one that has many.
 * A refresh token is read only for callers that may see it; an error only where nothing else can be said.
 * Times come as numbers and lists as lines, none of which can hold an end of line: the driver takes long over both.
 */
const text = often(`select asked.n::int, ${seconds('now()')} as now,
    c.id as caller_id, c.workspace_id, c.name as caller_name, ${lines('c.permissions')} as permissions,
    ${lines('c.connections')} as connections, ${lines('c.subjects')} as subjects,
    ${seconds('c.last_used_at')} as caller_used_at,
    c.addresses is null or asked.address::inet <<= any(c.addresses::inet[]) as at_home,
    conn.id as connection_id,
    g.id, g.subject, g.status, g.access_token, g.refresh_token is not null or g.renewable as refreshable,
    case when 'refresh_token:read' = any(c.permissions) then g.refresh_token end as refresh_token,
    g.token_type, g.scope, ${seconds('g.expires_at')} as expires_at, g.expiry_assumed, g.lifetime, g.generation,
    g.blocked, ${seconds('g.retry_at')} as retry_at, g.rejections,
    ${seconds('g.last_refreshed_at')} as last_refreshed_at, ${seconds('g.last_used_at')} as last_used_at,
    case when g.status <> 'active' or g.blocked or g.retry_at is not null then g.last_error end as last_error
  from unnest($1::bytea[], $2::text[], $3::text[], $4::text[]) with ordinality
    as asked (key_hash, connection, subject, address, n)
  left join lateral (select caller_id from caller_keys
    where key_hash = asked.key_hash and (ends_at is null or ends_at > now()) offset 0) k on true
  left join lateral (select * from callers
    where id = k.caller_id and revoked_at is null and (expires_at is null or expires_at > now()) offset 0) c on true
  left join lateral (select id from connections
    where workspace_id = c.workspace_id and name = asked.connection and deleted_at is null offset 0) conn on true
  left join lateral (select * from grants
    where connection_id = conn.id and subject = asked.subject offset 0) g on true`)

function seconds(time: string): string {
  return `date_part('epoch', ${time})`
}

function lines(list: string): string {
  return `array_to_string(${list}, chr(10))`
}

export function createTokenLookup(db: Database): TokenLookup {
  return async function lookUpTokens(questions) {
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, parameters(questions)))
    const sights = new Array<TokenSight | undefined>(questions.length)
    for (const row of rows) sights[row.n - 1] = toSight(row)
    return sights.map((sight) => sight ?? { now: new Date() })
  }
}

function parameters(questions: readonly TokenQuestion[]): unknown[] {
  return [
    arrayText(questions.map(({ keyHash }) => keyHash)),
    arrayText(questions.map(({ connection }) => connection)),
    arrayText(questions.map(({ subject }) => subject)),
    arrayText(questions.map(({ address }) => address)),
  ]
}

interface Row {
  /** The place of the question, from 1. */
  n: number
  now: number
  caller_id: string | null
  workspace_id: string
  caller_name: string
  permissions: string
  connections: string
  subjects: string | null
  caller_used_at: number | null
  at_home: boolean | null
  connection_id: string | null
  id: string | null
  subject: string
  status: GrantStatus
  access_token: Uint8Array | null
  refreshable: boolean
  refresh_token: Uint8Array | null
  token_type: string
  scope: string | null
  expires_at: number | null
  expiry_assumed: boolean
  lifetime: number | null
  generation: number
  blocked: boolean
  retry_at: number | null
  rejections: number
  last_refreshed_at: number | null
  last_used_at: number | null
  last_error: LastError | null
}

function toSight(row: Row): TokenSight {
  const now = toDate(row.now)
  if (row.caller_id === null) return { now }
  return {
    now,
    caller: {
      id: row.caller_id,
      workspaceId: row.workspace_id,
      name: row.caller_name,
      permissions: fromLines(row.permissions) as Permission[],
      connections: fromLines(row.connections),
      subjects: row.subjects === null ? null : fromLines(row.subjects),
      lastUsedAt: toDateOrNull(row.caller_used_at),
    },
    atHome: row.at_home === true,
    ...(row.connection_id === null ? {} : { connectionId: row.connection_id }),
    ...(row.id === null ? {} : { grant: toTokenState(row.id, row) }),
  }
}

function toTokenState(id: string, row: Row): NonNullable<TokenSight['grant']> {
  return {
    id,
    workspaceId: row.workspace_id,
    subject: row.subject,
    status: row.status,
    accessToken: row.access_token,
    refreshable: row.refreshable,
    refreshToken: row.refresh_token,
    tokenType: row.token_type,
    scope: row.scope,
    expiresAt: toDateOrNull(row.expires_at),
    expiryAssumed: row.expiry_assumed,
    lifetime: row.lifetime,
    generation: row.generation,
    blocked: row.blocked,
    retryAt: toDateOrNull(row.retry_at),
    rejections: row.rejections,
    lastRefreshedAt: toDateOrNull(row.last_refreshed_at),
    lastUsedAt: toDateOrNull(row.last_used_at),
    lastError: row.last_error,
  }
}

function toDate(epoch: number): Date {
  return new Date(Math.round(epoch * 1000))
}

function toDateOrNull(epoch: number | null): Date | null {
  return epoch === null ? null : toDate(epoch)
}

function fromLines(text: string): string[] {
  return text === '' ? [] : text.split('\n')
}
