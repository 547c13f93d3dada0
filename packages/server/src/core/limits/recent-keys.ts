/** A bounded memory of keys: one that is noted is known for at least `ms`, and less only where there are too many. */
export interface RecentKeys {
  note(key: string, now: number): void
  has(key: string): boolean
  forget(key: string): void
}

export function createRecentKeys({ ms, most }: { ms: number; most: number }): RecentKeys {
  let recent = new Set<string>()
  let former = new Set<string>()
  let turnsAt = 0

  return {
    note(key, now) {
      if (now >= turnsAt || recent.size >= most) {
        former = recent
        recent = new Set()
        turnsAt = now + ms
      }
      recent.add(key)
    },
    has: (key) => recent.has(key) || former.has(key),
    forget(key) {
      recent.delete(key)
      former.delete(key)
    },
  }
}
