import { randomUUID } from 'node:crypto'
import { createDataKey, type KeyEncryptionKey } from '../../core/crypto/key-encryption-key.ts'
import type { Secret } from '../../core/secret.ts'
import type { Database } from './database.ts'
import { insertAdministrator } from './make-administrator.ts'

/**
 * Makes the default workspace, its data key and the first administrator in one transaction, if there is no workspace.
 * `keep` stores the administrator's key before the commit, so that no crash leaves a vault nobody can enter.
 * Resolves to the key, or undefined when the vault has been started before (by this or another replica).
 */
export async function firstStart(
  db: Database,
  kek: KeyEncryptionKey,
  keep: (adminKey: Secret) => void,
): Promise<Secret | undefined> {
  const known = await db.selectFrom('workspaces').select('id').limit(1).executeTakeFirst()
  if (known) return undefined
  return db.transaction().execute(async (trx) => {
    const workspace = await trx
      .insertInto('workspaces')
      .values({ id: randomUUID(), name: 'default' })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!workspace) return undefined

    const dataKey = await createDataKey(kek, workspace.id, 1)
    await trx
      .insertInto('data_keys')
      .values({
        id: dataKey.id,
        workspace_id: workspace.id,
        version: dataKey.version,
        kek_id: dataKey.kekId,
        wrapped: dataKey.wrapped,
      })
      .execute()

    const adminKey = await insertAdministrator(trx, workspace.id, 'admin')
    keep(adminKey)
    return adminKey
  })
}
