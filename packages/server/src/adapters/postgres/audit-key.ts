import { createSecretKey, type KeyObject } from 'node:crypto'
import { createDataKey, type KeyEncryptionKeys, unwrapDataKey } from '../../core/crypto/key-encryption-key.ts'
import type { DataKey } from '../../core/ports.ts'
import { toAuditKey } from './data-key-store.ts'
import type { Database } from './database.ts'

const purpose = 'audit'

/**
 * The key of the audit log's MACs, wrapped like data keys; made when there is none. It lies in no process that only has
 * the database, so whoever can write there cannot make records that verify. Throws key_encryption_key_wrong.
 */
export async function openAuditKey(db: Database, keks: KeyEncryptionKeys): Promise<KeyObject> {
  const dataKey = (await find(db)) ?? (await make(db, keks))
  // As an object: from bytes, Node makes one at every use, which takes four times as long as the MAC itself.
  return createSecretKey(await unwrapDataKey(keks, dataKey))
}

async function find(db: Database): Promise<DataKey | undefined> {
  const row = await db.selectFrom('audit_keys').selectAll().where('purpose', '=', purpose).executeTakeFirst()
  return row && toAuditKey(row)
}

async function make(db: Database, keks: KeyEncryptionKeys): Promise<DataKey> {
  const made = await createDataKey(keks, purpose, 1)
  await db
    .insertInto('audit_keys')
    .values({ purpose, id: made.id, kek_id: made.kekId, wrapped: made.wrapped })
    .onConflict((conflict) => conflict.column('purpose').doNothing())
    .execute()
  // Another replica may have been first.
  return (await find(db)) ?? made
}
