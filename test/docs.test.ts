import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { generatedDocs } from '../scripts/lib/generated-docs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

test.each(generatedDocs())('$path says what the code says (npm run docs)', ({ path, text }) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})

describe('links', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
    ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name)),
  ].filter((path) => path.endsWith('.md'))

  test.each(pages)('in %s lead somewhere', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '')
    for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
      const target = resolve(root, dirname(page), link)
      expect(statSync(target, { throwIfNoEntry: false }), `${link} in ${page}`).toBeDefined()
    }
  })
})
