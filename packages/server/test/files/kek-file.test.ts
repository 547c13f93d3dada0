import { execFile } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readKekFile } from '../../src/adapters/files/kek-file.ts'
import { temporaryDirectory } from '../support/vault-process.ts'

const source = new URL('../../src/adapters/files/kek-file.ts', import.meta.url).href

test('processes that make the key of one directory at once all get the same key', async () => {
  const directory = temporaryDirectory()
  // All begin at one moment, after the slow part of starting.
  const program = `
    const { createKekFile } = await import(${JSON.stringify(source)})
    while (Date.now() < ${Date.now() + 2500}) {}
    const [key] = createKekFile(${JSON.stringify(join(directory, 'kek'))})
    process.stdout.write(key.reveal())`
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  const keys = (await Promise.all(Array.from({ length: 6 }, run))).map(({ stdout }) => stdout)
  expect(new Set(keys).size).toBe(1)
  expect(readFileSync(join(directory, 'kek'), 'utf8')).toBe(`${keys[0]}\n`)
  expect(statSync(join(directory, 'kek')).mode & 0o777).toBe(0o600)
  expect(readdirSync(directory)).toEqual(['kek'])
})

describe('a key file', () => {
  const keys = [1, 2].map((fill) => Buffer.alloc(32, fill).toString('base64'))
  const file = (text: string, mode = 0o600) => {
    const path = join(temporaryDirectory(), 'kek')
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }

  test('holds the current key, and those before it under it', () => {
    expect(readKekFile(file(`${keys.join('\n\n')}\n`))?.map((key) => key.reveal())).toEqual(keys)
    expect(readKekFile(join(temporaryDirectory(), 'kek'))).toBeUndefined()
  })

  test.each([0o640, 0o604, 0o644])('is refused with mode %o', (mode) => {
    expect(() => readKekFile(file(`${keys[0]}\n`, mode))).toThrow(
      expect.objectContaining({ code: 'key_file_unsafe' }),
    )
  })

  test.each([
    ['', 'does not hold a key'],
    [`${keys[0]}\nshort\n`, 'line 2 is not a key'],
    [`${keys[0]} ${keys[1]}`, 'line 1 is not a key'],
  ])('is refused when it holds %j', (text, reason) => {
    expect(() => readKekFile(file(text))).toThrow(
      expect.objectContaining({ code: 'key_encryption_key_wrong', message: expect.stringContaining(reason) }),
    )
  })
})
