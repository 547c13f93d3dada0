import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const source = join(import.meta.dirname, '../../src')
/** Opened by safe-fetch alone. */
const door = join('adapters', 'oauth', 'checked-transport.ts')

const outbound = /^(undici|axios|got|ky|node-fetch|(node:)?(https?|http2|tls|dgram|dns(\/promises)?))$/

describe('security 20: only safe-fetch goes out', () => {
  const files = globSync('**/*.ts', { cwd: source })

  test('the files are found', () => {
    expect(files).toContain(door)
  })

  test.each(files.filter((file) => file !== door))('%s does not', (file) => {
    const code = withoutComments(readFileSync(join(source, file), 'utf8'))
    // Values only: a type calls nobody.
    const imports = [...code.matchAll(/^(?:import|export) (?!type )([^'"]*)['"]([^'"]+)['"]/gm)]
    const loaded = [...code.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g)].map(([, name]) => name)
    const modules = [...imports.map(([, , name]) => name), ...loaded]
    expect(modules.filter((name) => name && outbound.test(name))).toEqual([])
    if (!file.endsWith('safe-fetch.ts'))
      expect(modules.filter((name) => name?.endsWith('checked-transport.ts'))).toEqual([])
    expect(code).not.toMatch(/(?<![\w.])fetch\(|globalThis\.fetch|new WebSocket|new EventSource/)
    for (const [, names = '', name] of imports) {
      if (name === 'node:net') expect(names).toMatch(/^\{((isIP|BlockList|type \w+|,)\s*|\s)+\} from $/)
    }
  })
})

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}
