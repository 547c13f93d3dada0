import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../support/vault-process.ts'

const source = new URL('../../src/adapters/files/kek-file.ts', import.meta.url).href

test('processes that make the key of one directory at once all get the same key', async () => {
  const directory = temporaryDirectory()
  // All begin at one moment, after the slow part of starting.
  const program = `
    const { createKekFile } = await import(${JSON.stringify(source)})
    while (Date.now() < ${Date.now() + 2500}) {}
    process.stdout.write(createKekFile(${JSON.stringify(directory)}).reveal())`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  const keys = (await Promise.all(Array.from({ length: 6 }, run))).map(({ stdout }) => stdout)
  expect(new Set(keys).size).toBe(1)
  expect(readFileSync(join(directory, 'kek'), 'utf8')).toBe(`${keys[0]}\n`)
  expect(statSync(join(directory, 'kek')).mode & 0o777).toBe(0o600)
  expect(readdirSync(directory)).toEqual(['kek'])
})
