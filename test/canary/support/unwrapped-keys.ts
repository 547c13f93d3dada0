import { openDatabase } from '../../../packages/server/src/adapters/postgres/open-database.ts'
import { createLocalKek } from '../../../packages/server/src/core/crypto/key-encryption-key.ts'
import { silentLog } from '../../../packages/server/test/support/stores.ts'

/** The bytes of every data key and of the key of the audit log, by name: what a vault has in its memory alone. */
export async function unwrappedKeys(
  at: Parameters<typeof openDatabase>[0],
  keyEncryptionKey: Buffer,
): Promise<Map<string, Uint8Array>> {
  const { db, close } = await openDatabase(at, silentLog)
  const kek = createLocalKek(keyEncryptionKey)
  const keys = new Map<string, Uint8Array>()
  try {
    for (const row of await db.selectFrom('data_keys').selectAll().execute()) {
      const { id, workspace_id: workspaceId, version, kek_id: kekId, wrapped } = row
      keys.set(`data key ${id}`, await kek.unwrap({ id, workspaceId, version, kekId, wrapped }))
    }
    for (const { id, purpose, kek_id: kekId, wrapped } of await db
      .selectFrom('audit_keys')
      .selectAll()
      .execute()) {
      keys.set(`key of ${purpose}`, await kek.unwrap({ id, workspaceId: purpose, version: 1, kekId, wrapped }))
    }
    return keys
  } finally {
    await close()
  }
}
