import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AuthconnError } from '../../core/errors.ts'

/** Makes the data directory, readable by this user alone. */
export function makeDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new AuthconnError('setting_invalid', `AUTHCONN_DATA_DIR cannot be created: ${directory}`, { cause })
  }
}

/**
 * Locks the directory for this process; the lock ends with the process, however that ends. PGlite has no lock of its
 * own, and Node has no flock: an exclusive SQLite transaction is a lock of the operating system's that leaves nothing
 * stale behind. Throws data_directory_in_use. Resolves to a function that releases it.
 */
export function lockDataDirectory(directory: string): () => void {
  const lock = new DatabaseSync(join(directory, 'lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new AuthconnError('data_directory_in_use', `Another process uses the data directory ${directory}`, {
      cause,
    })
  }
  return () => lock.close()
}
