import { randomBytes } from 'node:crypto'

/** Every secret of a run by a name that tells what it is. None stands anywhere but where it belongs. */
export interface Canaries {
  /** A new one, of random characters and those that encodings change. */
  make(name: string): string
  /** One that others have made: a token, a code, a key. Anything shorter than 16 characters is no secret of this run. */
  note(name: string, value: string | Uint8Array): void
  all(): ReadonlyMap<string, Buffer>
}

export function createCanaries(): Canaries {
  const all = new Map<string, Buffer>()
  const note = (name: string, value: string | Uint8Array) => {
    const bytes = Buffer.from(value as Uint8Array)
    if (bytes.length < 16) throw new Error(`${name} is too short to be told from accident: ${bytes.length} bytes`)
    // The same value under several names is one canary.
    if (![...all.values()].some((known) => known.equals(bytes))) all.set(name, bytes)
  }
  return {
    make(name) {
      const value = `${randomBytes(9).toString('base64url')}+/"\\%&=~${randomBytes(12).toString('base64url')}`
      note(name, value)
      return value
    },
    note,
    all: () => all,
  }
}
