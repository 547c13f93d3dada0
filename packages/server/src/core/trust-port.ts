import type { BoundClaim, Permission, TrustAlgorithm, TrustPreset } from '@authconn/shared'
import type { Caller, Page } from './ports.ts'
import type { Secret } from './secret.ts'

/** Whose OpenID Connect tokens are taken, and what the callers made from them may do. It never changes. */
export interface Trust {
  id: string
  workspaceId: string
  name: string
  preset: TrustPreset | null
  issuer: string
  audience: string[]
  jwksUri: string | null
  jwks: PublicKeys | null
  algorithms: TrustAlgorithm[]
  claims: BoundClaim[]
  /** Seconds. */
  maxAge: number
  singleUse: boolean
  permissions: Permission[]
  connections: string[]
  subjects: string[] | null
  addresses: string[] | null
  /** Seconds. */
  keyLifetime: number
  login: { client_id: string; scopes: string[]; vault_url: string } | null
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  /** To the hour. */
  lastUsedAt: Date | null
}

export type NewTrustRow = Omit<Trust, 'createdAt' | 'revokedAt' | 'lastUsedAt'>

/** A JSON Web Key Set of public keys. */
export interface PublicKeys {
  keys: Record<string, unknown>[]
}

export interface TrustStore {
  /** undefined when the name is taken by a trust that is not revoked. */
  insert(trust: NewTrustRow): Promise<Trust | undefined>
  /** One that is not revoked. */
  find(workspaceId: string, name: string): Promise<Trust | undefined>
  /** By name, without those that are revoked. */
  list(workspaceId: string, page: Page): Promise<Trust[]>
  /** Revokes it and every caller that was made by it, all at once; undefined when there is none. */
  revoke(workspaceId: string, name: string): Promise<Trust | undefined>
  /**
   * The trusts of a workspace that take tokens of an issuer now, the oldest first; undefined for a workspace that is not there. `name`: only
   * the one that is called so; `most`: no more than so many.
   */
  findForIssuer(
    workspace: string,
    issuer: string,
    options: { name: string | undefined; most: number },
  ): Promise<{ workspaceId: string; trusts: Trust[] } | undefined>
  /** The trusts of a workspace that people log in by. */
  listLogins(workspace: string): Promise<Trust[]>
  /**
   * Makes a caller by a trust, and notes that the token was used, in one transaction. `replayed`: it was used as often as
   * it may be already; `over`: the trust has been revoked meanwhile, or has come to its end.
   */
  issue(issue: IssueOfKey): Promise<{ caller: Caller; expiresIn: number } | 'replayed' | 'over'>
  /** Notes that it was used, at most once an hour. */
  touch(id: string): Promise<void>
  /** Forgets the uses of tokens that can no longer be valid. */
  purgeUses(): Promise<number>
  /** Removes the callers that were made by trusts and ended more than a day ago. */
  purgeCallers(): Promise<number>
}

export interface IssueOfKey {
  trustId: string
  /** By which the token is known again. */
  tokenHash: Uint8Array
  mostUses: number
  /** Seconds for which its use must be remembered. */
  rememberFor: number
  callerId: string
  callerName: string
  /** The `sub` of the token. */
  identity: string
  keyHash: Uint8Array
  /** Seconds; less where the trust ends sooner. */
  lifetime: number
}

/** Where the keys are that a token has to be signed by. */
export type KeySource = Pick<Trust, 'issuer' | 'jwksUri' | 'jwks'>

export interface VerifiedToken {
  algorithm: string
  claims: Readonly<Record<string, unknown>>
  /** SHA-256 thumbprint (RFC 7638) of the key that it is signed by. */
  key: string
}

/**
 * Verifies what does not depend on the trust: the header, the signature by a key of the source, the issuer and the times
 * that the token itself sets. Throws IdentityRefusal, and KeysUnavailable when the keys cannot be had.
 */
export type VerifyToken = (
  token: Secret,
  source: KeySource,
  options: { algorithms: readonly TrustAlgorithm[]; tolerance: number; now: Date },
) => Promise<VerifiedToken>

/** Why a token was refused, for the audit log, the log and the figures, and never for the answer. */
export type Refusal =
  /** It is no signed JWT. */
  | 'malformed'
  /** No trust of the workspace is about its issuer, or the one that was named is not. */
  | 'unknown_issuer'
  /** Its header holds a key, or says where one is, or has extensions that must be understood. */
  | 'header'
  /** It is signed by an algorithm that the trust does not list. */
  | 'algorithm'
  /** It says that it is for another purpose (typ). */
  | 'type'
  /** The issuer has no key of that id, kind and use. */
  | 'unknown_key'
  | 'signature'
  /** A claim that every token must have is missing or of the wrong type. */
  | 'incomplete'
  | 'expired'
  | 'not_yet_valid'
  /** It was issued longer ago than the trust allows. */
  | 'too_old'
  /** It is not for the vault, or for others as well. */
  | 'audience'
  /** It was issued to another client than people log in with. */
  | 'authorized_party'
  /** Somebody obtained it to log in to another vault, or in another way than by the command line. */
  | 'nonce'
  /** A bound claim does not hold. */
  | 'claim'
  /** It came from where the trust does not take it from. */
  | 'address'
  /** It fits none of the trusts that were looked at, and there are more, with keys in other places. */
  | 'ambiguous'
  | 'replayed'
  /** The trust was revoked or has come to its end meanwhile. */
  | 'trust_over'

export class IdentityRefusal extends Error {
  readonly why: Refusal
  /** The name of the claim that does not hold, as the trust has it. */
  readonly claim: string | undefined

  constructor(why: Refusal, claim?: string) {
    super(`The token is refused: ${why}`)
    this.name = 'IdentityRefusal'
    this.why = why
    this.claim = claim
  }
}

/** The message says what failed, and holds nothing of a token. */
export class KeysUnavailable extends Error {
  /** Seconds. */
  readonly retryAfter: number

  constructor(detail: string, retryAfter: number, options?: { cause?: unknown }) {
    super(detail, options)
    this.name = 'KeysUnavailable'
    this.retryAfter = retryAfter
  }
}
