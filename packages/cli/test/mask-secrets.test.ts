import { expect, test } from 'vitest'
import { createMask } from '../src/functions/mask-secrets.ts'

const secret = 'ya29.a0-Abc/def+ghi=="\u00e9'

/** What is shown of a text that comes in pieces. */
function shown(pieces: readonly Buffer[], ...secrets: string[]): string {
  const mask = createMask()
  for (const each of secrets) mask.add(each)
  let written = ''
  const stream = mask.stream((text) => (written += text))
  for (const piece of pieces) stream.write(piece)
  stream.end()
  return written
}

test('a secret is hidden wherever it is split, also within a character', () => {
  const text = Buffer.from(`before ${secret} between ${secret}${secret} after`)
  for (let first = 0; first < text.length; first++) {
    for (const second of [first, first + 1, first + 9, text.length]) {
      const pieces = [text.subarray(0, first), text.subarray(first, second), text.subarray(second)]
      expect(shown(pieces, secret)).toBe('before [secret] between [secret][secret] after')
    }
  }
})

test.each([
  ['a URL', encodeURIComponent(secret)],
  ['JSON', JSON.stringify(secret).slice(1, -1)],
  ['base64', Buffer.from(secret).toString('base64')],
  ['base64url', Buffer.from(secret).toString('base64url')],
])('it is hidden in the form it has in %s', (_, form) => {
  expect(shown([Buffer.from(`<${form}>`)], secret)).toBe('<[secret]>')
})

test('what only looks like its beginning is shown in the end, and most of a secret is not', () => {
  expect(shown([Buffer.from('ya29.')], secret)).toBe('ya29.')
  expect(shown([Buffer.from('ya29.'), Buffer.from('other')], secret)).toBe('ya29.other')
  expect(shown([Buffer.from(`x ${secret.slice(0, 20)}`)], secret)).toBe('x [secret]')
})

test('of two secrets that begin alike, both are hidden', () => {
  expect(shown([Buffer.from('token-1234-long token-1234')], 'token-1234', 'token-1234-long')).toBe(
    '[secret] [secret]',
  )
})

test('text goes on at once where no secret can begin', () => {
  const mask = createMask()
  mask.add(secret)
  const written: string[] = []
  const stream = mask.stream((text) => written.push(text))
  stream.write(Buffer.from('a line\n'))
  stream.write(Buffer.from('another, y'))
  expect(written).toEqual(['a line\n', 'another, '])
})
