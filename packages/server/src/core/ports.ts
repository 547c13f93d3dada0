import type { Account, AuthMethod, GrantType, Permission, ProviderEndpoints, TokenRequest } from '@authconn/shared'
import type { ErrorCode } from '@authconn/shared/errors'
import type { ClientKeyFacts } from './connections/client-key.ts'
import type { Grant, SealedTokens } from './grant-port.ts'

/*
 * What core needs from storage. Stores speak domain values; sealed values are opaque bytes to them.
 * `now` is always the database's clock, so that replicas with different clocks agree.
 */

export interface DataKey {
  id: string
  workspaceId: string
  version: number
  kekId: string
  wrapped: Uint8Array
}

export interface DataKeyStore {
  /** The newest data key of a workspace. */
  getCurrent(workspaceId: string): Promise<DataKey>
  find(id: string): Promise<DataKey | undefined>
  /** Counts so many uses of a data key; false, and counts nothing, where that would be more than `most` in all. */
  reserve(id: string, uses: number, most: number): Promise<boolean>
  /** False when the workspace has a data key of that version already. */
  insert(dataKey: DataKey): Promise<boolean>
}

export interface Connection {
  id: string
  workspaceId: string
  name: string
  provider: string | null
  providerUrl: string
  issuerUrl: string | null
  issuer: string | null
  clientId: string
  /** The sealed credential: the client secret, or the key that stands in its place. */
  clientSecret: Uint8Array
  /** The one before the last update, for providers that refuse the new one; null when there is none, or no more. */
  formerClientSecret: Uint8Array | null
  formerClientSecretUntil: Date | null
  tokenEndpointAuthMethod: AuthMethod
  /** What may be told of the client's key; null for one with a secret. */
  clientKey: ClientKeyFacts | null
  grantType: GrantType
  /** What it asks for by itself; null for one that needs somebody's consent. */
  tokenRequest: TokenRequest | null
  endpoints: ProviderEndpoints
  issParameterSupported: boolean
  authorizationParameters: Record<string, string>
  createdAt: Date
  updatedAt: Date
}

export interface ConnectionWithGrant {
  connection: Connection
  /** The application grant, or none before the first authorization. */
  grant: Grant | undefined
  /** Revocations that the provider has not done yet. */
  pendingRevocations: number
  now: Date
}

export interface Page {
  limit: number
  after: string | undefined
}

export type NewConnectionRow = Omit<
  Connection,
  'createdAt' | 'updatedAt' | 'formerClientSecret' | 'formerClientSecretUntil'
>

export interface ConnectionChanges {
  tokenEndpointAuthMethod?: AuthMethod
  /** `former` is what was the client secret, sealed for its new place; null where it is to be forgotten at once. */
  clientSecret?:
    | {
        current: Uint8Array
        clientKey: ClientKeyFacts | null
        former: { sealed: Uint8Array; seconds: number } | null
      }
    | undefined
}

export interface ConnectionStore {
  /** undefined when the name is taken. */
  insert(connection: NewConnectionRow): Promise<Connection | undefined>
  /**
   * Changes what is given, and lets the grants be refreshed again, in the next seconds, that had stopped over a refused
   * client. False when the connection is gone.
   */
  update(id: string, changes: ConnectionChanges, spreadSeconds: number): Promise<boolean>
  /** Forgets the former client secrets whose time is over. */
  forgetFormerSecrets(): Promise<number>
  /** Those of the ids that there are and that are not deleted. */
  findByIds(ids: readonly string[]): Promise<Connection[]>
  find(workspaceId: string, name: string, subject?: string): Promise<ConnectionWithGrant | undefined>
  /** Also finds one that is being deleted and waits for its revocations. */
  findById(id: string): Promise<Connection | undefined>
  /** By name; only those that one of the patterns covers (`*` stands for any characters). */
  list(workspaceId: string, patterns: readonly string[], page: Page): Promise<ConnectionWithGrant[]>
  /** Frees the name at once; the row stays until its revocations are through. False when there is none. */
  markDeleted(id: string): Promise<boolean>
  /** Deleted connections whose grants still hold tokens: a crash came between. */
  listHalfDeleted(limit: number): Promise<Connection[]>
  /** Removes the deleted connections that have no revocation left to do. */
  purgeDeleted(): Promise<number>
}

export interface PendingRevocation {
  id: string
  workspaceId: string
  connectionId: string
  grantId: string
  tokens: Uint8Array
  attempts: number
}

export interface RevocationStore {
  /** Queues one; false when its connection is gone. */
  insert(revocation: Omit<PendingRevocation, 'attempts'>): Promise<boolean>
  /** Whether one is still to be done for this grant, and why the last attempt failed. */
  findForGrant(grantId: string): Promise<{ lastError: string | null } | undefined>
  /** Takes one for an attempt, unless someone else has it now. */
  claim(id: string, seconds: number): Promise<PendingRevocation | undefined>
  /** Takes the one that is due first. */
  claimDue(seconds: number): Promise<PendingRevocation | undefined>
  remove(id: string): Promise<void>
  reschedule(id: string, retryIn: number, error: string): Promise<void>
}

export interface Authorization {
  id: string
  workspaceId: string
  connectionId: string
  connectionName: string
  callerId: string
  subject: string
  status: 'pending' | 'completed' | 'failed' | 'expired'
  /** null, as is the hash of the state, for one by a device code. */
  redirectUri: string | null
  scopes: string[]
  stateHash: Uint8Array | null
  /** Sealed JSON of state, nonce and PKCE verifier, or of the device code; gone when it is over. */
  secrets: Uint8Array | null
  failure: string | null
  /** As it was stored, perhaps by another version. */
  failureCode: string | null
  expiresAt: Date
}

/** A question for the outcome of an authorization by a device code. */
export interface DevicePoll {
  authorization: Authorization
  callerName: string
  /** Seconds between two of them. */
  interval: number
}

export interface AuthorizationStore {
  insert(
    authorization: Omit<Authorization, 'status' | 'failure' | 'failureCode' | 'expiresAt' | 'connectionName'>,
    timeout: number,
    /** Of one by a device code: seconds until its provider is to be asked first, and from then on. */
    pollInterval?: number,
  ): Promise<{ expiresAt: Date }>
  find(workspaceId: string, id: string, callerId: string): Promise<Authorization | undefined>
  /** Takes it for its one exchange; false when it is over or taken. */
  claim(id: string): Promise<boolean>
  /**
   * Keeps one by a device code, whose provider has given the tokens, from being asked for again; false when it is over, or
   * its connection or its caller. Harmless to repeat for who asked the provider.
   */
  hold(id: string): Promise<boolean>
  /**
   * Stores the tokens and completes the authorization in one transaction, unless it was cancelled, its connection deleted or
   * its caller revoked meanwhile. Completing again, after a confirmation that was lost, says `stored` again.
   */
  complete(
    id: string,
    grantId: string,
    tokens: SealedTokens,
    about?: { metadata: Record<string, string>; account: Account | null },
  ): Promise<'stored' | 'cancelled' | 'connection_gone'>
  fail(id: string, reason: string, code?: ErrorCode): Promise<boolean>
  /**
   * Takes some by a device code whose provider is to be asked now, each for one question that takes at most those seconds.
   */
  claimPolls(limit: number, seconds: number): Promise<DevicePoll[]>
  /** Has the provider asked again after so many seconds, and at that interval from then on. */
  pollAgain(id: string, interval: number): Promise<void>
  /** Removes those that ended more than a day ago. */
  purgeEnded(): Promise<number>
}

export interface Caller {
  id: string
  workspaceId: string
  name: string
  permissions: Permission[]
  connections: string[]
  subjects: string[] | null
  /** Addresses and CIDR ranges it may call from; null for anywhere. */
  addresses: string[] | null
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  /** To the hour. */
  lastUsedAt: Date | null
  /** Until when the key before the last rotation works. */
  formerKeyUntil: Date | null
  /** The trust that it was made by from a token; null for others. */
  trustId: string | null
  /** The `sub` of that token. */
  identity: string | null
}

export type NewCallerRow = Omit<
  Caller,
  'createdAt' | 'revokedAt' | 'lastUsedAt' | 'formerKeyUntil' | 'trustId' | 'identity'
>

export interface CallerStore {
  /**
   * The caller with this key hash, if it may call now; `atHome`: whether it may from that address (null: one that is
   * not known, where only callers bound to none may call).
   */
  findLive(keyHash: Uint8Array, address: string | null): Promise<{ caller: Caller; atHome: boolean } | undefined>
  /** undefined when the name is taken by a caller that is not revoked. */
  insert(caller: NewCallerRow, keyHash: Uint8Array): Promise<Caller | undefined>
  find(workspaceId: string, id: string): Promise<Caller | undefined>
  /** By name, without those that were made by trusts. */
  list(workspaceId: string, page: Page): Promise<Caller[]>
  /** Those that were made by the trusts of a name, newest first, by their ids. */
  listOfTrust(workspaceId: string, trust: string, page: Page): Promise<Caller[]>
  /** Gives it a new key; the one there ends after so many seconds, and any before it now. undefined when it is revoked. */
  rotate(workspaceId: string, id: string, keyHash: Uint8Array, overlapSeconds: number): Promise<Caller | undefined>
  revoke(workspaceId: string, id: string): Promise<Caller | undefined>
  /** Notes that it was used, at most once an hour. */
  touch(id: string): Promise<void>
  /** Removes the keys that have ended. */
  purgeEndedKeys(): Promise<number>
}

/** A log that takes a message and plain values; what is a Secret prints as such. */
export interface Log {
  info(values: Record<string, unknown>, message: string): void
  warn(values: Record<string, unknown>, message: string): void
  error(values: Record<string, unknown>, message: string): void
}
