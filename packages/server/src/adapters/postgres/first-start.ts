import type { KeyEncryptionKeys } from '../../core/crypto/key-encryption-key.ts'
import type { Secret } from '../../core/secret.ts'
import { firstAdministratorOf } from '../../core/workspaces/first-callers.ts'
import { newWorkspace } from '../../core/workspaces/new-workspace.ts'
import type { Database } from './database.ts'
import { insertWorkspace } from './workspace-store.ts'

/** The workspace that comes with the vault. */
export const defaultWorkspace = 'default'

/**
 * Makes the default workspace, its data key and the first administrator in one transaction, if there is no workspace.
 * `keep` stores the administrator's key before the commit, so that no crash leaves a vault nobody can enter.
 * Resolves to the key, or undefined when the vault has been started before (by this or another replica).
 */
export async function firstStart(
  db: Database,
  keks: KeyEncryptionKeys,
  keep: (adminKey: Secret) => void,
): Promise<Secret | undefined> {
  const known = await db.selectFrom('workspaces').select('id').limit(1).executeTakeFirst()
  if (known) return undefined
  const { row, apiKey } = await newWorkspace(keks, defaultWorkspace, (id) => firstAdministratorOf(id, 'admin'))
  return db.transaction().execute(async (trx) => {
    if (!(await insertWorkspace(trx, row))) return undefined
    keep(apiKey)
    return apiKey
  })
}
