import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { publishable, withRepository } from '../scripts/lib/publishable.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = publishable(root)

test('four packages are published, all of one version, and the sandbox is not', () => {
  const names = packages.map(({ manifest }) => manifest.name)
  expect(names.sort()).toEqual(['@authconn/sdk', '@authconn/server', '@authconn/shared', 'authconn'])
  expect(new Set(packages.map(({ manifest }) => manifest.version)).size).toBe(1)
})

describe.each(packages)('$manifest.name', ({ manifest }) => {
  test('is published with provenance, under its license, and nothing but what was built', () => {
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      publishConfig: { access: 'public', provenance: true },
    })
    expect(manifest.files?.filter((name) => !name.startsWith('!'))).toEqual(['dist'])
  })

  test('runs nothing when it is installed', () => {
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => /install|prepare/.test(name))).toEqual([])
  })
})

test('a manifest names the repository of the run that publishes it, and only then', () => {
  const copy = mkdtempSync(join(tmpdir(), 'authconn-publish-'))
  onTestFinished(() => rmSync(copy, { recursive: true }))
  for (const { directory } of packages) {
    cpSync(join(root, directory, 'package.json'), join(copy, directory, 'package.json'), { recursive: true })
  }
  const read = () => readFileSync(join(copy, 'packages/server/package.json'), 'utf8')
  const before = read()
  const restore = withRepository(copy, packages, 'git+https://git.example/a/b.git')
  expect(JSON.parse(read())).toMatchObject({
    ...JSON.parse(before),
    repository: { type: 'git', url: 'git+https://git.example/a/b.git', directory: 'packages/server' },
  })
  restore()
  expect(read()).toBe(before)
})
