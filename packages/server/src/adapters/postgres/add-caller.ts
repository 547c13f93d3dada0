import { createApiKey, hashApiKey } from '../../core/callers/api-key.ts'
import { AuthconnError } from '../../core/errors.ts'
import type { NewCallerRow } from '../../core/ports.ts'
import type { Secret } from '../../core/secret.ts'
import { createCallerStore } from './caller-store.ts'
import type { Database } from './database.ts'

/** Adds a caller that no other caller has asked for. Resolves to its key. Throws caller_exists. */
export async function addCaller(db: Database, row: NewCallerRow): Promise<Secret> {
  const key = createApiKey()
  const made = await createCallerStore(db).insert(row, hashApiKey(key))
  if (!made) throw new AuthconnError('caller_exists', `There is a caller named "${row.name}" already`)
  return key
}
