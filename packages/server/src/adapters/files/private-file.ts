import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AuthconnError } from '../../core/errors.ts'
import { syncDirectory } from './sync-directory.ts'

/** Writes a file that only this user can read, whole or not at all. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text)
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/**
 * Makes a private file unless there is one, and returns what it holds then: of several processes that make it at once
 * one wins, and all get the winner's text. Throws key_file_unsafe.
 */
export function createPrivateFile(path: string, text: string): string {
  const temporary = writeTemporary(path, text)
  try {
    // Unlike a rename, a link never replaces a file; unlike an exclusive open, it appears with its text.
    linkSync(temporary, path)
    syncDirectory(dirname(path))
    return text
  } catch (error) {
    const known = isAlreadyThere(error) ? readPrivateFile(path) : undefined
    if (known === undefined) throw error
    return known
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** The text of a private file, or undefined when there is none. Throws key_file_unsafe when others can read it. */
export function readPrivateFile(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8)
    throw new AuthconnError('key_file_unsafe', `${path} has mode ${mode}; it must be readable by its owner alone`)
  }
  return readFileSync(path, 'utf8')
}

/** Under a name of its own: in containers that share a directory even process ids are the same. */
function writeTemporary(path: string, text: string): string {
  const temporary = `${path}.${randomUUID()}.new`
  const file = openSync(temporary, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return temporary
}

function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}
