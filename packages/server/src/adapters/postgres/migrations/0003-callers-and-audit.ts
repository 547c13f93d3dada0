// Why: keys that overlap when they are rotated, callers bound to addresses, and an audit log whose records are chained
// by a keyed MAC, in monthly partitions so that what is old goes at once.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}

const statements = [
  sql`create table caller_keys (
    key_hash bytea primary key,
    caller_id uuid not null references callers (id) on delete cascade,
    created_at timestamptz not null default now(),
    ends_at timestamptz
  )`,
  sql`create index caller_keys_caller on caller_keys (caller_id)`,
  sql`insert into caller_keys (key_hash, caller_id, created_at) select key_hash, id, created_at from callers`,
  sql`alter table callers
    drop column key_hash,
    add column addresses text[],
    add column last_used_at timestamptz`,
  sql`update callers set permissions = array_append(permissions, 'audit:read')
    where 'workspace:admin' = any(permissions) and not 'audit:read' = any(permissions)`,
  sql`create table audit_keys (
    purpose text primary key,
    id uuid not null,
    kek_id text not null,
    wrapped bytea not null,
    created_at timestamptz not null default now()
  )`,
  // No references: what was done is kept when those who did it, and what they did it to, are gone.
  sql`create table audit_log (
    stream uuid not null,
    number bigint not null,
    at timestamptz not null,
    workspace_id uuid,
    actor uuid,
    actor_name text,
    action text not null,
    connection text,
    target text,
    subject text,
    outcome text not null,
    reason text,
    address text,
    request_id text not null,
    mac bytea not null,
    primary key (stream, number, at)
  ) partition by range (at)`,
  sql`create index audit_log_workspace on audit_log (workspace_id, at)`,
  // For records of a month that nobody has made a partition for: it should stay empty.
  sql`create table audit_log_default partition of audit_log default`,
  sql`create table audit_checkpoints (
    number bigint primary key,
    at timestamptz not null,
    content jsonb not null,
    mac bytea not null
  )`,
]
