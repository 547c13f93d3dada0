import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../packages/server/test/support/vault-process.ts'
import { createCanaries } from './support/canaries.ts'
import { filesOf } from './support/places.ts'
import { createSearch } from './support/search.ts'
import { spellingsOf } from './support/spellings.ts'

const canaries = createCanaries()
const planted = canaries.make('planted')
canaries.make('another')
const search = createSearch(canaries.all())
const around = (written: string | Buffer) =>
  new Map([['a place', Buffer.concat([randomBytes(5000), Buffer.from(written as string), randomBytes(5000)])]])
const found = (written: string | Buffer) => search(around(written)).map(({ what }) => what)

/** Written by other means than the search uses, so that one is not wrong as the other is. */
const writers: Record<string, (secret: string) => string | Buffer> = {
  plain: (secret) => secret,
  base64: (secret) => btoa(secret),
  'base64 behind one byte': (secret) => btoa(`x${secret}yy`),
  'base64 behind two bytes': (secret) => btoa(`xx${secret}y`),
  base64url: (secret) => btoa(`{"a":"${secret}"}`).replaceAll('+', '-').replaceAll('/', '_'),
  'a Basic header': (secret) => `Basic ${btoa(`some-client:${encodeURIComponent(secret)}`)}`,
  hex: (secret) => [...secret].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, '0')).join(''),
  'upper-case hex': (secret) =>
    [...secret].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()).join(''),
  'bytea as PostgreSQL prints it': (secret) => `\\x00${Buffer.from(secret).toString('hex')}`,
  'a query': (secret) => new URL(`http://x/?a=${encodeURIComponent(secret)}`).href,
  'a form': (secret) => new URLSearchParams({ a: secret, b: 'c' }).toString(),
  'a line of JSON': (secret) => JSON.stringify({ message: `failed with ${secret} in it` }),
  'JSON in a line of JSON': (secret) => JSON.stringify({ body: JSON.stringify({ secret }) }),
  'UTF-16': (secret) => Buffer.from(secret, 'utf16le'),
  'its first 16 characters': (secret) => secret.slice(0, 16),
  'its last 16 characters': (secret) => secret.slice(-16),
}

describe('the search', () => {
  test.each(Object.entries(writers))('finds a secret in %s', (_how, write) => {
    expect(new Set(found(write(planted)))).toEqual(new Set(['planted']))
  })

  test('knows every spelling that is written here', () => {
    expect([...spellingsOf(Buffer.from(planted)).keys()].length).toBeGreaterThanOrEqual(22)
  })

  test('finds bytes that are no text, and those of a key in hex', () => {
    const key = randomBytes(32)
    const find = createSearch(new Map([['key', key]]))
    expect(find(around(key))).toHaveLength(1)
    expect(find(around(key.toString('base64'))).length).toBeGreaterThan(0)
    expect(find(around(`\\x${key.toString('hex')}`)).length).toBeGreaterThan(0)
  })

  test('finds the claims and the signature of a JWT, and not the head that all have', () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const head = part({ alg: 'ES256', typ: 'JWT', kid: 'the-key-of-all-tokens' })
    const claims = part({ sub: 'alice', nonce: randomBytes(16).toString('hex'), iat: 1 })
    const signature = randomBytes(64).toString('base64url')
    const find = createSearch(new Map([['token', Buffer.from(`${head}.${claims}.${signature}`)]]))
    expect(find(around(signature))).toHaveLength(1)
    expect(find(around(claims)).length).toBeGreaterThan(0)
    expect(find(around(`${head}.${part({ sub: 'bob' })}`))).toEqual([])
  })

  test('finds it in a file below a directory, and not in one that is left out', () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'a', 'b'), { recursive: true })
    writeFileSync(join(directory, 'a', 'b', 'segment'), `${'x'.repeat(1_000_000)}${planted}`)
    writeFileSync(join(directory, 'kept'), planted)
    expect(search(filesOf(directory, ['kept']))).toEqual([
      { what: 'planted', place: join('a', 'b', 'segment'), spelling: expect.any(String) },
    ])
  })

  test('finds nothing where nothing is', () => {
    expect(found(randomBytes(1_000_000))).toEqual([])
  })
})
