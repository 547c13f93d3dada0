import { randomUUID } from 'node:crypto'
import { permissionNames } from '@authconn/shared'
import { createApiKey, hashApiKey } from '../../core/callers/api-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import type { Database } from './database.ts'

/**
 * Adds an administrator to the vault's workspace and resolves to its key. `keep` stores the key before the commit, so
 * that a key which cannot be kept is none. Throws vault_not_started.
 */
export async function makeAdministrator(db: Database, name: string, keep: (key: Secret) => void): Promise<Secret> {
  return db.transaction().execute(async (trx) => {
    const workspace = await trx
      .selectFrom('workspaces')
      .select('id')
      .where('name', '=', 'default')
      .executeTakeFirst()
    if (!workspace) throw new AuthconnError('vault_not_started')
    const key = await insertAdministrator(trx, workspace.id, name)
    keep(key)
    return key
  })
}

/** Resolves to the key, of which the database keeps a hash alone. */
export async function insertAdministrator(trx: Database, workspaceId: string, name: string): Promise<Secret> {
  const key = createApiKey()
  await trx
    .insertInto('callers')
    .values({
      id: randomUUID(),
      workspace_id: workspaceId,
      name,
      key_hash: hashApiKey(key),
      // No caller sees refresh tokens by default; the administrator can make one that does.
      permissions: permissionNames.filter((permission) => permission !== 'refresh_token:read'),
      connections: ['*'],
      subjects: null,
    })
    .execute()
  return key
}
