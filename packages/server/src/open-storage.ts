import { join } from 'node:path'
import { lockDataDirectory, makeDataDirectory } from './adapters/files/data-directory.ts'
import { KeyServiceFailure } from './adapters/key-services/key-service.ts'
import { findKeks } from './adapters/open-kek.ts'
import { sampleDataKeys } from './adapters/postgres/data-key-store.ts'
import { isAboutDataKey, isDatabaseUnavailable, refusedAddress } from './adapters/postgres/database-errors.ts'
import { migrate, pendingMigrations } from './adapters/postgres/migrate.ts'
import { type OpenDatabase, openDatabase } from './adapters/postgres/open-database.ts'
import type { Config } from './config/load-config.ts'
import type { KeyEncryptionKeys } from './core/crypto/key-encryption-key.ts'
import { AuthconnError } from './core/errors.ts'
import type { Logger } from './logger.ts'

export interface Storage extends OpenDatabase {
  /** Nothing was sealed yet when it was opened. */
  isNew: boolean
  /** undefined: none was given, and nothing is sealed yet. */
  keks: KeyEncryptionKeys | undefined
}

/**
 * Opens the database and finds its key, and checks that they belong together before anything is changed. Closes both
 * when the work fails, and says whether the setting or the database is at fault.
 * Throws setting_invalid, database_unavailable, data_directory_in_use, and what findKeks throws.
 */
export async function withStorage<T>(
  config: Config,
  log: Logger,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  makeDataDirectory(config.dataDirectory)
  const unlock = config.databaseUrl ? () => undefined : lockDataDirectory(config.dataDirectory)
  let opened: OpenDatabase | undefined
  const close = async () => {
    await opened?.close()
    unlock()
  }
  try {
    opened = await open(config, log)
    const sealedWith = await sampleDataKeys(opened.db)
    const settings = { sources: config.keks, ...config.keyServices }
    const keks = await findKeks(settings, config.dataDirectory, sealedWith)
    return await work({ ...opened, isNew: sealedWith.length === 0, keks, close })
  } catch (error) {
    // What went wrong first is what there is to say.
    await close().catch(() => undefined)
    throw inWords(error, config)
  }
}

/** Runs the missing migrations where that is allowed. Throws schema_out_of_date where it is not, schema_too_new. */
export async function prepareSchema(storage: Storage, config: Config, log: Logger): Promise<void> {
  if (!config.autoMigrate) return requireSchema(storage)
  const ran = await migrateStorage(storage, log)
  if (ran.length > 0) log.info({ migrations: ran }, 'migrated')
}

/** Throws schema_out_of_date, schema_too_new. */
export async function requireSchema(storage: Storage): Promise<void> {
  const pending = await pendingMigrations(storage.db)
  if (pending.length > 0) throw new AuthconnError('schema_out_of_date', `Missing: ${pending.join(', ')}`)
}

/** Runs the missing migrations. Resolves to their names. */
export async function migrateStorage(storage: Storage, log: Logger): Promise<string[]> {
  // Asked first, since almost every start finds none, and a database without a time limit is a connection of its own.
  if ((await pendingMigrations(storage.db)).length === 0) return []
  const locks = {
    patience: 300_000,
    onWait: (holders: string) => log.warn({ holders }, 'migrations wait for locks that others hold on the tables'),
  }
  return storage.withoutTimeLimit((db) => migrate(db, undefined, locks))
}

/** Where the local command line finds the vault before it listens; the true address follows when it does. */
export function localUrl(config: Config): string {
  return `${config.tls ? 'https' : 'http'}://127.0.0.1:${config.port}`
}

async function open(config: Config, log: Logger): Promise<OpenDatabase> {
  const { databaseUrl, databasePoolSize, dataDirectory } = config
  return openDatabase(
    databaseUrl
      ? { url: databaseUrl.reveal(), poolSize: databasePoolSize }
      : { directory: join(dataDirectory, 'database') },
    log,
  )
}

function inWords(error: unknown, { databaseUrl, databaseUrlSetting }: Config): unknown {
  // Callers are not told what the key service said of keys and identities; whoever starts the vault is.
  if (error instanceof AuthconnError && error.cause instanceof KeyServiceFailure) {
    return new AuthconnError(error.code, `${error.message}: ${error.cause.message}`, { cause: error })
  }
  if (!databaseUrl || error instanceof AuthconnError) return error
  const refused = refusedAddress(error)
  if (refused) {
    return new AuthconnError('setting_invalid', `${databaseUrlSetting} was refused: ${refused}`, { cause: error })
  }
  // A database that refuses what is sealed with a key that is gone has answered.
  if (isDatabaseUnavailable(error) && !isAboutDataKey(error)) {
    const detail = `The database of ${databaseUrlSetting} does not answer`
    return new AuthconnError('database_unavailable', detail, { cause: error })
  }
  return error
}
