/** What became of one family of tokens: those that come from one consent, or from one `mint`. */
export interface Family {
  /** The id of the grant that its tokens hang on. */
  family: string
  /** Refreshes that the provider answered with tokens, also when a fault kept them from the client. */
  refreshes: number
  /** How often a used refresh token was presented outside the reuse interval. The first time ends the family. */
  replays: number
  /** How often a used refresh token was presented inside the reuse interval, and taken. */
  reused: number
  /** Whether the tokens were ended, by a replay or by a revocation request. */
  revoked: boolean
  /** As in `2030-01-31T12:00:00.000Z`. */
  lastRefreshAt: string | null
}

export interface Families {
  /** Every family since the start, ended ones included, oldest first. */
  list(): Family[]
  find(family: string): Family | undefined
}

/** Where the provider's events are written down; each takes the same time however many families there are. */
export interface FamilyLog extends Families {
  began(family: string): void
  refreshed(family: string): void
  reused(family: string): void
  replayed(family: string, token: string): void
  /** Counts the token as replayed when it is a used one of a family that has ended. Answers whether it is. */
  replayedAfterEnd(token: string): boolean
  /** All its tokens are gone; `usedTokens` are the refresh tokens among them that had been used. */
  ended(family: string, usedTokens: readonly string[]): void
}

export function createFamilies(): FamilyLog {
  const records = new Map<string, FamilyRecord>()
  const usedTokensOfEnded = new Map<string, FamilyRecord>()

  function change(family: string, apply: (record: FamilyRecord) => void) {
    const record = records.get(family)
    if (record) apply(record)
  }

  return {
    list: () => [...records.values()].map(toFamily),
    find(family) {
      const record = records.get(family)
      return record && toFamily(record)
    },
    began(family) {
      if (records.has(family)) return
      records.set(family, { family, refreshes: 0, replays: 0, reused: 0, revoked: false, lastRefreshAt: null })
    },
    refreshed(family) {
      change(family, (record) => {
        record.refreshes += 1
        record.lastRefreshAt = Date.now()
      })
    },
    reused(family) {
      change(family, (record) => {
        record.reused += 1
      })
    },
    replayed(family, token) {
      change(family, (record) => {
        record.replays += 1
        usedTokensOfEnded.set(token, record)
      })
    },
    replayedAfterEnd(token) {
      const record = usedTokensOfEnded.get(token)
      if (!record) return false
      record.replays += 1
      return true
    },
    ended(family, usedTokens) {
      change(family, (record) => {
        record.revoked = true
        for (const token of usedTokens) usedTokensOfEnded.set(token, record)
      })
    },
  }
}

type FamilyRecord = Omit<Family, 'lastRefreshAt'> & { lastRefreshAt: number | null }

function toFamily(record: FamilyRecord): Family {
  const { lastRefreshAt } = record
  return { ...record, lastRefreshAt: lastRefreshAt === null ? null : new Date(lastRefreshAt).toISOString() }
}
