// Why: workloads with an identity of their own, which exchange a token of their platform for a short-lived key. The callers
// made so share the name of their trust, so names are unique among the others only.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}

const statements = [
  sql`create table trusts (
    id uuid primary key,
    workspace_id uuid not null references workspaces (id),
    name text not null,
    preset text,
    issuer text not null,
    audience text[] not null,
    jwks_uri text,
    jwks jsonb,
    algorithms text[] not null,
    claims jsonb not null,
    max_age integer not null,
    single_use boolean not null,
    permissions text[] not null,
    connections text[] not null,
    subjects text[],
    addresses text[],
    key_lifetime integer not null,
    login jsonb,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
  )`,
  sql`create unique index trusts_live_name on trusts (workspace_id, name) where revoked_at is null`,
  // By a hash: an issuer can be longer than an index takes.
  sql`create index trusts_live_issuer on trusts (workspace_id, md5(issuer)) where revoked_at is null`,
  sql`alter table callers
    add column trust_id uuid references trusts (id),
    add column identity text`,
  sql`create index callers_of_trusts on callers (trust_id, created_at) where trust_id is not null`,
  sql`drop index callers_live_name`,
  sql`create unique index callers_live_name on callers (workspace_id, name)
    where revoked_at is null and trust_id is null`,
  sql`create table used_identities (
    token_hash bytea primary key,
    uses integer not null,
    ends_at timestamptz not null
  )`,
  sql`create index used_identities_end on used_identities (ends_at)`,
  sql`alter table audit_log add column detail text`,
]
