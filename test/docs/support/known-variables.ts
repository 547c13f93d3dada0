import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './read-page.ts'

let sources: string | undefined

/** Whether it is in the sources of a package. */
export function isKnownVariable(name: string): boolean {
  sources ??= globSync('packages/*/src/**/*.ts', { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  return new RegExp(`\\b${name}\\b`).test(sources)
}
