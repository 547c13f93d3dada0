import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Brings the names in a directory to the disk: without that a power cut can take a new file back. */
export function syncDirectory(directory: string): void {
  // Windows opens no directories, and keeps names in its journal.
  if (process.platform !== 'win32') syncPath(directory, 'r')
}

/** Brings everything below a directory to the disk. */
export function syncTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) syncTree(path)
    else if (entry.isFile()) syncPath(path, 'r+')
  }
  syncDirectory(directory)
}

function syncPath(path: string, flags: 'r' | 'r+'): void {
  const file = openSync(path, flags)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
