import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** All files below a directory but some, by their paths in it. */
export function filesOf(directory: string, except: readonly string[] = []): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name)
    if (!except.includes(name) && statSync(path, { throwIfNoEntry: false })?.isFile())
      found.set(name, readFileSync(path))
  }
  return found
}
