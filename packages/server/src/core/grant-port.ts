import type { Account, EventType, FailureClass, GrantStatus } from '@authconn/shared'
import type { ErrorCode } from '@authconn/shared/errors'
import type { Connection, Page } from './ports.ts'

/*
 * What core needs from storage for grants. Times are the database's clock, so that replicas with different clocks
 * agree; what is to come is given in seconds from now.
 */

export interface Failure {
  code: ErrorCode
  class: FailureClass
  detail: string
}

/** As it was stored, perhaps by another version. */
export interface LastError extends Omit<Failure, 'code'> {
  code: string
  at: string
}

export interface Grant {
  id: string
  workspaceId: string
  connectionId: string
  /** Empty for the application itself. */
  subject: string
  status: GrantStatus
  accessToken: Uint8Array | null
  refreshToken: Uint8Array | null
  /** Whether it is renewable, or there is a refresh token; where that was not read, it is null all the same. */
  refreshable: boolean
  /** Another token is to be had by what the connection itself holds: nobody's consent is needed. */
  renewable: boolean
  /** Of the authorization that it came from; null where there was none. */
  redirectUri: string | null
  tokenType: string
  scope: string | null
  /** Whose tokens they are, as far as the provider said. */
  account: Account | null
  /** What the provider's API needs besides a token. */
  metadata: Record<string, string>
  expiresAt: Date | null
  /** The provider did not say when the access token ends: the vault assumes it. */
  expiryAssumed: boolean
  /** Seconds the access token lived from its issue; null when it has no end. */
  lifetime: number | null
  /** Moves with every change of tokens or status; fences off stale writers. */
  generation: number
  refreshTokenExpiresAt: Date | null
  /** When the sweeper looks at it next; null when never. */
  refreshDueAt: Date | null
  /** The provider refuses the client: nothing is tried until someone changes that, or forces it. */
  blocked: boolean
  retryAt: Date | null
  failureCount: number
  /** Answers that fit no standard since the last success. */
  unrecognizedCount: number
  /** Refreshes in a row that were done because an API had refused the token before. */
  rejections: number
  lastError: LastError | null
  lastRefreshedAt: Date | null
  /** To the hour. */
  lastUsedAt: Date | null
}

export type GrantNow = { grant: Grant; now: Date }

/** Sealed tokens and what the provider said of them. */
export interface SealedTokens {
  accessToken: Uint8Array
  /** null keeps the one that is there on a refresh, and means none on an authorization. */
  refreshToken: Uint8Array | null
  tokenType: string
  scope: string | null
  expiresIn: number | null
  expiryAssumed: boolean
  /** Seconds that the refresh token lives unless it is used; null when nothing is known of that. */
  refreshTokenExpiresIn: number | null
  /** Seconds; null for never. */
  refreshDueIn: number | null
  /** Seconds until the refresh token must be used so that it does not die of disuse; null where there is none. */
  keepAliveIn: number | null
  /** Milliseconds since the provider was asked: the token has been ageing that long. */
  age: number
}

export interface Lease {
  grantId: string
  generation: number
  owner: string
}

/** How a refresh ended that gave no tokens. */
export interface RefreshFailure {
  error: Failure
  status: 'active' | 'expired'
  /** Seconds until it may be tried again; null where nothing may, without someone's doing. */
  retryIn: number | null
  /**
   * The provider refuses the client, as it was when the connection was last changed; where it has been changed since, it
   * is tried again at once. null: it does not.
   */
  blocked: { clientAsOf: Date } | null
  unrecognized: boolean
  /** The provider may have used up the refresh token: nobody saw its answer. */
  outcomeUnknown: boolean
  /** A new refresh token that came without a usable access token. */
  rotated: Uint8Array | null
}

export interface ClaimDue {
  limit: number
  /** Origins of token endpoints whose grants are left alone for now. */
  except: readonly string[]
  /** Seconds after which another replica may claim what this one did not get done. */
  seconds: number
  /** Seconds without a use after which a grant is kept alive only; null: never. */
  unusedAfter: number | null
}

export interface GrantStore {
  /**
   * The grant's row for (connection, subject); undefined when the connection is gone. Made when missing: as `pending`, or
   * as renewable without a token yet where the connection needs nobody's consent.
   */
  ensure(connection: Connection, subject: string): Promise<{ id: string } | undefined>
  /** Makes a renewable grant as if nothing had gone wrong with it, or it had not been revoked; unless it is being refreshed. */
  reopen(id: string): Promise<void>
  findById(id: string): Promise<(GrantNow & { leased: boolean }) | undefined>
  /** By subject: the application grant and those that one of the patterns covers (`*` as above); null for all. */
  list(
    connectionId: string,
    subjects: readonly string[] | null,
    page: Page,
  ): Promise<{ grants: Grant[]; now: Date }>
  /** All grants of a connection that hold tokens. */
  listWithTokens(connectionId: string): Promise<Grant[]>
  /**
   * Takes the refresh lease if the generation is still the same, as is the number of failures since the last success, no
   * unexpired lease is held and nothing keeps it back, and records the attempt. `interruptedAt`: a former attempt whose outcome nobody knows, with no success since.
   */
  takeLease(
    lease: Lease,
    seconds: number,
    options: { failures: number; forced?: boolean },
  ): Promise<{ interruptedAt: Date | null } | undefined>
  /** Prolongs leases that are still their owners'. */
  renewLeases(leases: readonly Lease[], seconds: number): Promise<void>
  /** Ends all leases: for a store that no other process can be using. */
  endAllLeases(): Promise<void>
  /** Compare-and-set on generation and owner; undefined when someone else was there. */
  saveRefreshed(
    lease: Lease,
    tokens: SealedTokens,
    options?: { rejected?: boolean; metadata?: Record<string, string> },
  ): Promise<GrantNow | undefined>
  /** Gives the lease back and keeps what went wrong; same compare-and-set. */
  saveFailure(lease: Lease, failure: RefreshFailure): Promise<boolean>
  /** Takes grants that are due, those due longest first; they count as not due for a while. `more`: there may be others. */
  claimDue(claim: ClaimDue): Promise<{ grants: Grant[]; more: boolean }>
  /** Ends a claim of which nothing came: it is due again some seconds later. */
  putBack(grant: Grant, seconds: number): Promise<void>
  /** How many grants are due and not being refreshed. */
  countDue(): Promise<number>
  /** Marks a grant whose token has ended with nothing to refresh it, if its generation is still the same. */
  expire(grant: Grant, reason: Failure): Promise<boolean>
  /**
   * Lets the grants at token endpoints of an origin that wait after a passing failure be tried in the next seconds, but for
   * those whose provider asked for a longer pause than any of ours.
   */
  bringForward(origin: string, spreadSeconds: number): Promise<number>
  /** Lets the blocked grants of a connection be tried in the next seconds; one that somebody works on is left to them. */
  unblock(connectionId: string, spreadSeconds: number): Promise<number>
  /** Notes that they were used, at most once an hour each. Leaves out those that somebody is writing to. */
  touch(ids: readonly string[]): Promise<void>
  /** Clears the tokens and queues their revocation in one transaction; false when the generation moved. */
  revoke(grant: Grant, revocation: { id: string; tokens: Uint8Array } | null): Promise<boolean>
  /** Keeps whose tokens they are, unless the grant has moved on meanwhile. */
  setAccount(grant: Pick<Grant, 'id' | 'generation'>, account: Account): Promise<boolean>
  setLastError(id: string, error: Failure | null): Promise<void>
}

export interface GrantEvent {
  id: string
  type: EventType
  connectionName: string
  subject: string
  at: Date
  code: string | null
  class: FailureClass | null
  detail: string | null
}

export interface EventStore {
  /** Newest first; subjects as in GrantStore.list. */
  list(
    connectionId: string,
    subjects: readonly string[] | null,
    page: Page & { subject: string | undefined },
  ): Promise<GrantEvent[]>
  /** Removes those that are older. */
  purge(seconds: number): Promise<number>
}
