// Why: the refresh engine. When a grant is due and when its refresh token would die of disuse, which attempt has an
// unknown outcome, what keeps a refresh from being tried; client secrets that overlap; and the events of grants.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}

const statements = [
  sql`alter table grants
    add column expiry_assumed boolean not null default false,
    add column refresh_token_expires_at timestamptz,
    add column refresh_due_at timestamptz,
    add column keep_alive_at timestamptz,
    add column attempted_at timestamptz,
    add column interrupted_at timestamptz,
    add column blocked boolean not null default false,
    add column unrecognized_count integer not null default 0,
    add column rejections integer not null default 0,
    add column last_used_at timestamptz`,
  // Failures had no class before; what they were about is tried again, and then says its own.
  sql`update grants set last_error = last_error || '{"class": "passing"}' where last_error is not null`,
  // Spread, so that a large vault does not refresh everything at the first start of the new version.
  sql`update grants set
    refresh_due_at = expires_at - make_interval(secs => least(300, lifetime / 3.0)),
    keep_alive_at = now() + make_interval(secs => 604800 * random())
    where status = 'active' and refresh_token is not null`,
  sql`update grants set refresh_due_at = keep_alive_at where refresh_due_at is null and keep_alive_at is not null`,
  sql`update grants set refresh_due_at = expires_at where status = 'active' and refresh_token is null`,
  // What the sweeper looks for every second.
  sql`create index grants_due on grants (refresh_due_at) where status = 'active'`,
  // What is brought forward when a provider recovers: few rows among many.
  sql`create index grants_retrying on grants (retry_at) where retry_at is not null`,
  sql`alter table connections
    add column former_client_secret bytea,
    add column former_client_secret_until timestamptz`,
  // Without references to connections and grants: what happened is kept when they are gone.
  sql`create table events (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    connection_id uuid not null,
    connection_name text not null,
    grant_id uuid not null,
    subject text not null,
    type text not null,
    data jsonb not null,
    created_at timestamptz not null default now()
  )`,
  sql`create index events_connection on events (connection_id, created_at desc, id)`,
  sql`create index events_age on events (created_at)`,
  sql`update callers set permissions = array_append(permissions, 'metrics:read')
    where 'workspace:admin' = any(permissions) and not 'metrics:read' = any(permissions)`,
]
