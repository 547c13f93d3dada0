import type { GrantStore } from '../grant-port.ts'
import type { TokenState } from '../token-port.ts'

export interface GrantUses {
  /** A token of the grant is about to be served. Asks and writes nothing yet. */
  note(grant: Pick<TokenState, 'id' | 'lastUsedAt'>, now: Date): void
  /** Writes what was noted since the last time. Nothing depends on it: what fails now is noted with the next use. */
  write(): Promise<void>
}

/** Milliseconds after which a use is noted again. */
const noted = 3_600_000

/** Grants in one statement, whose rows are locked until it is committed. */
const most = 500

/**
 * Notes that grants were used, once an hour each and many with one statement: a commit for each would be as much as the
 * record of the fetch, and a crowd that is first served after a quiet night comes all at once.
 */
export function createGrantUses(deps: { grants: Pick<GrantStore, 'touch'> }): GrantUses {
  let used = new Set<string>()

  return {
    note({ id, lastUsedAt }, now) {
      if (lastUsedAt && now.getTime() - lastUsedAt.getTime() < noted) return
      used.add(id)
    },
    async write() {
      const ids = [...used]
      used = new Set()
      for (let start = 0; start < ids.length; start += most) {
        await deps.grants.touch(ids.slice(start, start + most))
      }
    },
  }
}
