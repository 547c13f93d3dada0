/**
 * A value as it may be written down: plain, escaped, and in base64 (wherever in the encoded text it begins), base64url,
 * hex and URL encoding; also base64 of its URL encoding, as in an Authorization header. Each as its beginning and its end,
 * since a part that was cut off gives as much away.
 */
export function spellingsOf(value: Buffer): Map<string, Buffer> {
  const text = value.toString('utf8')
  const isText = Buffer.from(text).equals(value)
  const spellings = new Map<string, Buffer>([['plain', value]])
  const add = (name: string, spelling: string) => spellings.set(name, Buffer.from(spelling))
  addBase64(value, 'base64', add)
  add('hex', value.toString('hex'))
  add('upper-case hex', value.toString('hex').toUpperCase())
  if (isText) {
    const encoded = encodeURIComponent(text)
    add('URL encoding', encoded)
    add(
      'lower-case URL encoding',
      encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    )
    add('form encoding', new URLSearchParams([['', text]]).toString().slice(1))
    addBase64(Buffer.from(encoded), 'base64 of URL encoding', add)
    add('JSON', JSON.stringify(text).slice(1, -1))
    add('JSON in JSON', JSON.stringify(JSON.stringify(text)).slice(3, -3))
    add('JSON with escaped slashes', JSON.stringify(text).slice(1, -1).replaceAll('/', '\\/'))
    spellings.set('UTF-16', Buffer.from(text, 'utf16le'))
  }
  return spellings
}

function addBase64(value: Buffer, name: string, add: (name: string, spelling: string) => void): void {
  for (const offset of [0, 1, 2]) {
    // The characters that also depend on what stands before or after are left out.
    const shifted = Buffer.concat([Buffer.alloc(offset), value])
    const whole = shifted.subarray(0, shifted.length - (shifted.length % 3))
    const from = [0, 2, 3][offset]
    add(`${name} at ${offset}`, whole.toString('base64').slice(from))
    add(`${name}url at ${offset}`, whole.toString('base64url').slice(from))
  }
}
