// Why: the first schema. Workspaces with their data keys, callers, connections, grants, authorizations and
// the revocations still to be done at providers. What is secret is sealed bytes from the start.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}

const statements = [
  sql`create table workspaces (
    id uuid primary key,
    name text not null unique,
    created_at timestamptz not null default now()
  )`,
  sql`create table data_keys (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    version integer not null,
    kek_id text not null,
    wrapped bytea not null,
    created_at timestamptz not null default now(),
    unique (workspace_id, version)
  )`,
  sql`create table callers (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    name text not null,
    key_hash bytea not null unique,
    permissions text[] not null,
    connections text[] not null,
    subjects text[],
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
  )`,
  // A revoked caller stays for the record; its name is free again.
  sql`create unique index callers_live_name on callers (workspace_id, name) where revoked_at is null`,
  sql`create table connections (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    name text not null,
    provider text,
    provider_url text not null,
    issuer_url text,
    issuer text,
    client_id text not null,
    client_secret bytea not null,
    token_endpoint_auth_method text not null,
    endpoints jsonb not null,
    iss_parameter_supported boolean not null,
    authorization_parameters jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
  )`,
  sql`create unique index connections_live_name on connections (workspace_id, name) where deleted_at is null`,
  // What is being deleted is few rows among many, and looked for every minute.
  sql`create index connections_deleted on connections (deleted_at) where deleted_at is not null`,
  sql`create table grants (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    connection_id uuid not null references connections (id) on delete cascade,
    subject text not null,
    status text not null check (status in ('pending', 'active', 'expired', 'revoked')),
    access_token bytea,
    refresh_token bytea,
    token_type text not null default 'Bearer',
    scope text,
    expires_at timestamptz,
    lifetime integer,
    generation integer not null default 0,
    lease_owner text,
    lease_until timestamptz,
    retry_at timestamptz,
    failure_count integer not null default 0,
    last_error jsonb,
    last_refreshed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (connection_id, subject)
  )`,
  sql`create table authorizations (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    connection_id uuid not null references connections (id) on delete cascade,
    caller_id uuid not null references callers (id),
    subject text not null,
    status text not null check (status in ('pending', 'completed', 'failed')),
    redirect_uri text not null,
    scopes text[] not null,
    state_hash bytea not null,
    secrets bytea,
    failure text,
    claimed_at timestamptz,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
  )`,
  sql`create index authorizations_expiry on authorizations (expires_at)`,
  sql`create index authorizations_connection on authorizations (connection_id)`,
  // No cascade from connections: a deleted connection stays until its revocations are through.
  sql`create table revocations (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    connection_id uuid not null references connections (id),
    grant_id uuid not null references grants (id),
    tokens bytea not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error text,
    created_at timestamptz not null default now()
  )`,
  sql`create index revocations_due on revocations (next_attempt_at)`,
  sql`create index revocations_connection on revocations (connection_id)`,
  // For the reference alone: without it, each grant that goes would have all revocations read.
  sql`create index revocations_grant on revocations (grant_id)`,
]
