import { keepOperatorKey } from './adapters/files/operator-file.ts'
import { makeOperator } from './adapters/postgres/make-operator.ts'
import type { Config } from './config/load-config.ts'
import { AuthconnError } from './core/errors.ts'
import type { Secret } from './core/secret.ts'
import type { Logger } from './logger.ts'
import { nameByMoment } from './name-by-moment.ts'
import { requireSchema, withStorage } from './open-storage.ts'
import { recordOutside } from './record-outside.ts'

/**
 * Makes an operator, and keeps its key in the data directory in place of the one there. Nobody inside the vault can make
 * the first one: whoever does holds database and key-encryption key.
 * Throws vault_not_started, schema_out_of_date, and what withStorage throws.
 */
export async function makeOperatorKey(config: Config, log: Logger): Promise<{ name: string; key: Secret }> {
  return withStorage(config, log, async (storage) => {
    if (!storage.keks) throw new AuthconnError('vault_not_started')
    await requireSchema(storage)
    const name = nameByMoment('operator')
    await recordOutside(storage, log, 'operator-key', name)
    const key = await makeOperator(storage.db, storage.keks, name, (made) =>
      keepOperatorKey(config.dataDirectory, name, made),
    )
    await storage.close()
    return { name, key }
  })
}
