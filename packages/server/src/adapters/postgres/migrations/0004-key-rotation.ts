// Why: data keys that are counted, followed by others and in the end let go of. The database knows with which data key each
// value is sealed, so that it can refuse what would leave a value without its key.
import { type Kysely, sql } from 'kysely'
import { knowDataKeysOf } from './sealed-with.ts'
import { refuseValuesWithoutKey } from './values-without-key.ts'

export async function up(db: Kysely<unknown>): Promise<void> {
  await refuseValuesWithoutKey(db, sealed)
  for (const statement of statements) await statement.execute(db)
}

const sealed = [
  { table: 'connections', columns: ['client_secret', 'former_client_secret'] },
  { table: 'grants', columns: ['access_token', 'refresh_token'] },
  { table: 'authorizations', columns: ['secrets'] },
  { table: 'revocations', columns: ['tokens'] },
]

const statements = [
  sql`alter table data_keys
    add column uses bigint not null default 0,
    add column unused_since timestamptz`,
  // Nobody has counted so far. No vault can have come as far as half of what a key may be used.
  sql`update data_keys set uses = 536870912`,
  // One rewrite of each table.
  ...sealed.flatMap(({ table, columns }) => knowDataKeysOf(table, columns)),
]
