import type { Grant } from './grant-port.ts'
import type { Caller } from './ports.ts'

/** What a fetch is about: whose key, for which token, from where. */
export interface TokenQuestion {
  /** SHA-256 of the key, in hex. */
  keyHash: string
  connection: string
  /** Empty for the application itself. */
  subject: string
  address: string | null
}

/** Of a grant, what it takes to decide and to answer. */
export type TokenState = Omit<
  Grant,
  | 'account'
  | 'renewable'
  | 'redirectUri'
  | 'metadata'
  | 'connectionId'
  | 'refreshTokenExpiresAt'
  | 'refreshDueAt'
  | 'failureCount'
  | 'unrecognizedCount'
>

/** As much as there is: no caller for a key that is none, no connection for a name that is none. */
export interface TokenSight {
  now: Date
  caller?: Pick<Caller, 'id' | 'workspaceId' | 'name' | 'permissions' | 'connections' | 'subjects' | 'lastUsedAt'>
  /** Whether the caller may call from that address. */
  atHome?: boolean
  connectionId?: string
  grant?: TokenState
}

/** Answers many at once, in the order of the questions. */
export type TokenLookup = (questions: readonly TokenQuestion[]) => Promise<TokenSight[]>
