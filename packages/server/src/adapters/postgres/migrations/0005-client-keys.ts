// Why: clients that authenticate by a private key. The key itself is sealed where a client secret is; this is what may be
// told of it.
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table connections add column client_key jsonb`.execute(db)
}
