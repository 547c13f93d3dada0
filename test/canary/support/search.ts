import { spellingsOf } from './spellings.ts'

/** Where a canary was found. */
export interface Hit {
  what: string
  place: string
  spelling: string
}

/** How much of a spelling, from its beginning or its end, counts as the secret. */
const enough = 16

/**
 * Finds any of the canaries, in any spelling, in places of any size: one pass over each place, by the automaton of Aho and
 * Corasick, as thousands of needles and a database's files make.
 */
export function createSearch(canaries: ReadonlyMap<string, Buffer>) {
  const needles: { what: string; spelling: string; bytes: Buffer }[] = []
  for (const [what, value] of canaries) {
    for (const part of partsOf(value)) {
      for (const [spelling, bytes] of spellingsOf(part)) {
        if (bytes.length < enough) continue
        needles.push({ what, spelling, bytes: bytes.subarray(0, enough) })
        needles.push({ what, spelling, bytes: bytes.subarray(-enough) })
      }
    }
  }
  const automaton = build(needles.map(({ bytes }) => bytes))

  return function search(places: ReadonlyMap<string, Buffer>): Hit[] {
    const hits = new Map<string, Hit>()
    for (const [place, content] of places) {
      for (const index of automaton(content)) {
        const { what, spelling } = needles[index] as (typeof needles)[number]
        // Many spellings of what has nothing to escape are the same.
        const key = JSON.stringify([what, place])
        if (!hits.has(key)) hits.set(key, { what, place, spelling })
      }
    }
    return [...hits.values()]
  }
}

/** All JWTs of an issuer begin alike, so their heads are no secret; and each of the other parts is one. */
function partsOf(value: Buffer): Buffer[] {
  const text = value.toString('latin1')
  if (!/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return [value]
  const [, claims = '', signature = ''] = text.split('.')
  // Claims begin alike as well; what tells one token from another is in the middle.
  return [Buffer.from(claims.slice(Math.floor(claims.length / 2))), Buffer.from(signature)]
}

/** A function that gives the indices of the needles that a text holds. */
function build(needles: readonly Buffer[]): (text: Buffer) => Set<number> {
  const most = needles.reduce((sum, needle) => sum + needle.length, 1)
  const next = new Int32Array(most * 256)
  const fail = new Int32Array(most)
  const ends: (number[] | undefined)[] = []
  let states = 1
  for (const [index, needle] of needles.entries()) {
    let state = 0
    for (const byte of needle) state = next[state * 256 + byte] ||= states++
    const ending = ends[state] ?? []
    ending.push(index)
    ends[state] = ending
  }
  const queue = [0]
  for (let at = 0; at < queue.length; at++) {
    const state = queue[at] ?? 0
    for (let byte = 0; byte < 256; byte++) {
      const child = next[state * 256 + byte] ?? 0
      const elsewhere = state === 0 ? 0 : (next[(fail[state] ?? 0) * 256 + byte] ?? 0)
      if (child === 0) {
        next[state * 256 + byte] = elsewhere
        continue
      }
      fail[child] = elsewhere
      const suffixes = ends[elsewhere]
      if (suffixes) ends[child] = [...(ends[child] ?? []), ...suffixes]
      queue.push(child)
    }
  }
  return (text) => {
    const found = new Set<number>()
    let state = 0
    for (const byte of text) {
      state = next[state * 256 + byte] ?? 0
      const ending = ends[state]
      if (ending) for (const index of ending) found.add(index)
    }
    return found
  }
}
