// Why: tokens without a browser. Connections that ask for tokens as themselves or by a signed assertion, authorizations by a
// device code that the vault polls for, and the redirect URI of an authorization for providers that want it at each refresh.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}

const statements = [
  sql`alter table connections
    add column grant_type text not null default 'authorization_code'
      check (grant_type in ('authorization_code', 'client_credentials', 'jwt_bearer')),
    add column token_request jsonb`,
  sql`alter table grants
    add column renewable boolean not null default false,
    add column redirect_uri text`,
  sql`alter table authorizations
    alter column redirect_uri drop not null,
    alter column state_hash drop not null,
    add column failure_code text,
    add column poll_interval integer,
    add column next_poll_at timestamptz`,
  // What is looked for every second: few rows among many.
  sql`create index authorizations_polling on authorizations (next_poll_at)
    where status = 'pending' and next_poll_at is not null`,
]
