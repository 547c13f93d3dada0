/** What was counted for a key in its window of time. */
export interface Tally {
  readonly count: number
  /** When the window ends and counting begins anew: milliseconds of the clock. */
  readonly endsAt: number
}

export interface WindowCounter {
  /** Counts one more. */
  add(key: string, now: number): Tally
  /** What there is; undefined for nothing at all. */
  find(key: string, now: number): Tally | undefined
}

/** What one process counted of a key and has not told the others. */
export interface Share {
  key: string
  endsAt: number
  added: number
}

/** The side of a counter by which processes count together. */
export interface SharedCounter {
  /** What was counted since it was last asked, in windows that are not over. */
  take(now: number): Share[]
  /** What all processes together have counted, this share among it. */
  learn(share: Share, total: number): void
  /** The share reached nobody: it becomes part of the next one. */
  giveBack(share: Share): void
}

interface Entry {
  readonly key: string
  count: number
  endsAt: number
  /** Counted and not taken. */
  unshared: number
  isListed: boolean
}

/** Of this many keys a generation is full. With some 200 bytes for each they take 8 MB at worst. */
const mostKeys = 20_000

/**
 * Counts by key in fixed windows of time, in memory, and answers at once. The windows of different keys end at different
 * moments, so that those who were refused do not come back all together; the windows of one key end everywhere at the
 * same moment, so that processes can count together.
 */
export function createWindowCounter(options: {
  windowMs: number
  /** Whether somebody takes the shares; otherwise none are kept. */
  isShared: boolean
  most?: number
}): WindowCounter & SharedCounter {
  const { windowMs, isShared, most = mostKeys } = options
  // Two generations: what nobody asked for during a whole window goes with the older one, without a sweep. When there
  // are more keys than that, the oldest are forgotten before their time.
  let recent = new Map<string, Entry>()
  let former = new Map<string, Entry>()
  let turnsAt = 0
  let listed: Entry[] = []

  function find(key: string, now: number): Entry | undefined {
    if (isOver(turnsAt, now)) turn(now)
    let entry = recent.get(key)
    if (entry === undefined) {
      entry = former.get(key)
      if (entry === undefined) return undefined
      keep(entry, now)
    }
    if (isOver(entry.endsAt, now)) {
      entry.count = 0
      entry.unshared = 0
      entry.endsAt = endOfWindow(key, now)
    }
    return entry
  }

  /** A clock that was set back must not make a window last for hours. */
  function isOver(endsAt: number, now: number): boolean {
    return now >= endsAt || endsAt - now > windowMs
  }

  function turn(now: number): void {
    former = recent
    recent = new Map()
    turnsAt = now + windowMs
  }

  function keep(entry: Entry, now: number): void {
    if (recent.size >= most) turn(now)
    recent.set(entry.key, entry)
  }

  function endOfWindow(key: string, now: number): number {
    return now + windowMs - ((now + phaseOf(key, windowMs)) % windowMs)
  }

  function list(entry: Entry, added: number): void {
    entry.unshared += added
    if (entry.isListed) return
    entry.isListed = true
    listed.push(entry)
  }

  function sameWindow({ key, endsAt }: Share): Entry | undefined {
    const entry = recent.get(key) ?? former.get(key)
    return entry?.endsAt === endsAt ? entry : undefined
  }

  return {
    add(key, now) {
      let entry = find(key, now)
      if (entry === undefined) {
        entry = { key, count: 0, endsAt: endOfWindow(key, now), unshared: 0, isListed: false }
        keep(entry, now)
      }
      entry.count++
      if (isShared) list(entry, 1)
      return entry
    },
    find,
    take(now) {
      const taken = listed
      listed = []
      return taken.flatMap((entry) => {
        const { key, endsAt, unshared: added } = entry
        entry.isListed = false
        entry.unshared = 0
        return added > 0 && !isOver(endsAt, now) ? [{ key, endsAt, added }] : []
      })
    },
    learn(share, total) {
      const entry = sameWindow(share)
      if (entry) entry.count = Math.max(entry.count, total + entry.unshared)
    },
    giveBack(share) {
      const entry = sameWindow(share)
      if (entry) list(entry, share.added)
    },
  }
}

/** The same number for the same key in every process, spread over the window. FNV-1a. */
function phaseOf(key: string, windowMs: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % windowMs
}
