import { AuthconnError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { firstAdministratorOf } from '../../core/workspaces/first-callers.ts'
import { addCaller } from './add-caller.ts'
import type { Database } from './database.ts'
import { defaultWorkspace } from './first-start.ts'
import { findWorkspace } from './workspace-store.ts'

/**
 * Adds an administrator to the vault's workspace and resolves to its key. `keep` stores the key before the commit, so
 * that a key which cannot be kept is none. Throws vault_not_started, caller_exists.
 */
export async function makeAdministrator(db: Database, name: string, keep: (key: Secret) => void): Promise<Secret> {
  return db.transaction().execute(async (trx) => {
    const workspace = await findWorkspace(trx, defaultWorkspace)
    if (!workspace) throw new AuthconnError('vault_not_started')
    const key = await addCaller(trx, firstAdministratorOf(workspace.id, name))
    keep(key)
    return key
  })
}
