import { keepAdminKey, readCredentials } from './adapters/files/credentials-file.ts'
import { makeAdministrator } from './adapters/postgres/make-administrator.ts'
import type { Config } from './config/load-config.ts'
import { AuthconnError } from './core/errors.ts'
import type { Secret } from './core/secret.ts'
import type { Logger } from './logger.ts'
import { nameByMoment } from './name-by-moment.ts'
import { localUrl, requireSchema, withStorage } from './open-storage.ts'
import { recordOutside } from './record-outside.ts'

/**
 * Makes one more administrator, for when the key of the last is lost, and keeps its key in the data directory in place
 * of the one there. Whoever holds database and key-encryption key could open everything anyway: both are asked for.
 * Throws vault_not_started, schema_out_of_date, and what withStorage throws.
 */
export async function makeAdminKey(config: Config, log: Logger): Promise<{ name: string; key: Secret }> {
  return withStorage(config, log, async (storage) => {
    if (!storage.keks) throw new AuthconnError('vault_not_started')
    await requireSchema(storage)
    const name = nameByMoment('admin')
    await recordOutside(storage, log, 'admin-key', name)
    const vault = findVault(config.dataDirectory) ?? { url: localUrl(config) }
    const key = await makeAdministrator(storage.db, name, (made) =>
      keepAdminKey(config.dataDirectory, vault, made),
    )
    await storage.close()
    return { name, key }
  })
}

/** What the file says of a vault that may be running. One that is damaged or was open to others is replaced as well. */
function findVault(dataDirectory: string) {
  try {
    return readCredentials(dataDirectory)
  } catch {
    return undefined
  }
}
