import type { KeyEncryptionKeys } from '../../core/crypto/key-encryption-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { operatorOf } from '../../core/workspaces/first-callers.ts'
import { newWorkspace } from '../../core/workspaces/new-workspace.ts'
import { addCaller } from './add-caller.ts'
import type { Database } from './database.ts'
import { defaultWorkspace } from './first-start.ts'
import { findWorkspace, insertWorkspace } from './workspace-store.ts'

/** The workspace of those who make the others; it is there when the first of them is. */
const operatorsWorkspace = 'operators'

/**
 * Adds an operator and resolves to its key. `keep` stores the key before the commit, so that a key which cannot be kept is
 * none. Throws vault_not_started, caller_exists.
 */
export async function makeOperator(
  db: Database,
  keks: KeyEncryptionKeys,
  name: string,
  keep: (key: Secret) => void,
): Promise<Secret> {
  // Not before the first start, which makes the default workspace only where there is no workspace at all.
  if (!(await findWorkspace(db, defaultWorkspace))) throw new AuthconnError('vault_not_started')
  const { row, apiKey } = await newWorkspace(keks, operatorsWorkspace, (id) => operatorOf(id, name))
  return db.transaction().execute(async (trx) => {
    const key = (await insertWorkspace(trx, row)) ? apiKey : await addOperator(trx, name)
    keep(key)
    return key
  })
}

async function addOperator(trx: Database, name: string): Promise<Secret> {
  const workspace = await findWorkspace(trx, operatorsWorkspace)
  if (!workspace) throw new Error('The workspace of the operators was there a moment ago')
  return addCaller(trx, operatorOf(workspace.id, name))
}
