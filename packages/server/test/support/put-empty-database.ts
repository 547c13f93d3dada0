import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** Puts an embedded database with nothing in it into a data directory, which the first start then finds made. */
export function putEmptyDatabase(dataDirectory: string): void {
  cpSync(inject('emptyDatabase').directory, join(dataDirectory, 'database'), { recursive: true })
}
