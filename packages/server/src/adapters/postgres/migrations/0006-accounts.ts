// Why: people want to see whose tokens a connection holds, and APIs need more than a token: the address of an instance, the
// id of a company. Neither is a secret.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table grants
    add column account jsonb,
    add column metadata jsonb not null default '{}'`.execute(db)
}
