import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import { AuthconnError } from '../../core/errors.ts'

/** Writes a file that only this user can read, whole or not at all. */
export function writePrivateFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
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
