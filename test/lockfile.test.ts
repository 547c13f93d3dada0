import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findLockfileProblems } from '../scripts/lib/find-lockfile-problems.ts'

const lockfile = readFileSync(new URL('../pnpm-lock.yaml', import.meta.url), 'utf8')
const problems = (change: (text: string) => string) => {
  const changed = change(lockfile)
  expect(changed).not.toBe(lockfile)
  return findLockfileProblems(changed)
}
const fastify = /(\n {2}fastify@\S+:\n {4}resolution: )\{(integrity: [^}]+)\}/

test('the lockfile of this project has no problems', () => {
  expect(findLockfileProblems(lockfile)).toEqual([])
})

describe('a problem is', () => {
  test.each([
    ['a tarball from elsewhere', '{tarball: https://evil.example/fastify.tgz, $2}'],
    ['a Git repository', '{type: git, repo: https://github.com/x/y, commit: 0000}'],
    ['a directory', '{directory: ../fastify, type: directory}'],
    ['a hash that can be forged', '{integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=}'],
    ['no hash', '{}'],
  ])('%s', (_what, resolution) => {
    const found = problems((text) => text.replace(fastify, `$1${resolution}`))
    expect(found).toEqual([expect.stringMatching(/^fastify@\S+ is not from the registry with a SHA-512/)])
  })

  test('an entry without a resolution', () => {
    expect(problems((text) => text.replace(fastify, '\n  fastify@9.9.9:\n    x: '))).toHaveLength(1)
  })

  test.each([
    ['no packages', (text: string) => text.replace('\npackages:\n', '\npackage:\n')],
    ['another form', (text: string) => text.replace('\npackages:\n', '\npackages:\n   odd\n')],
  ])('a file that is not understood: %s', (_what, change) => {
    expect(problems(change)).toHaveLength(1)
  })
})
