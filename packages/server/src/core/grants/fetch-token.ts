import type { AuditLog } from '../audit/audit-log.ts'
import type { AuditFacts } from '../audit-port.ts'
import { hashApiKey } from '../callers/api-key.ts'
import { createNoteUse } from '../callers/note-use.ts'
import { requireAtHome, requirePermission } from '../callers/permissions.ts'
import { readApiKey } from '../callers/read-api-key.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { AuthconnError } from '../errors.ts'
import type { CallerStore, ConnectionStore } from '../ports.ts'
import type { TokenQuestion, TokenSight, TokenState } from '../token-port.ts'
import { whatIsThere } from './gather.ts'
import type { GrantUses } from './grant-uses.ts'
import type { IssueToken, TokenWish } from './issue-token.ts'
import { type FreshToken, openToken } from './open-token.ts'
import type { RefreshGrant } from './refresh-grant.ts'
import { decide } from './refresh-policy.ts'

export interface TokenRequest {
  /** The Authorization header. */
  authorization: string | undefined
  /** SHA-256 of the key in it, in hex, where that is known already. */
  keyHash: string | null
  connection: string
  wish: TokenWish
  address: string | null
  requestId: string
}

/**
 * The product's hot path: who asks, may they, is there a good token, put it on record, answer. What is looked up is looked
 * up now, together with what others ask at the same moment. A token that needs more than that goes by IssueToken.
 * Throws unauthenticated, invalid_api_key, permission_denied, overloaded, audit_unavailable and what IssueToken throws.
 */
export type FetchToken = (request: TokenRequest) => Promise<FreshToken>

export function createFetchToken(deps: {
  lookUp(question: TokenQuestion): Promise<TokenSight>
  audit: Pick<AuditLog, 'record'>
  keyring: Keyring
  issueToken: IssueToken
  refreshGrant: RefreshGrant
  connections: Pick<ConnectionStore, 'find'>
  uses: Pick<GrantUses, 'note'>
  callers: Pick<CallerStore, 'touch'>
  /** Takes work that goes on after the answer, so that a shutdown waits for it. */
  inBackground(work: Promise<unknown>): void
}): FetchToken {
  const { audit, keyring } = deps
  /** Grants whose refresh somebody has begun already. */
  const refreshing = new Set<string>()
  const noteCallerUse = createNoteUse(deps)

  return async function fetchToken(request) {
    // Of a key that is none there is nobody to tell of.
    let seen: TokenSight = { now: new Date(0) }
    try {
      const key = readApiKey(request.authorization)
      const keyHash = request.keyHash ?? hashApiKey(key).toString('hex')
      const { connection, wish, address } = request
      seen = await deps.lookUp({ keyHash, connection, subject: wish.subject ?? '', address })
      const caller = authorize(seen, request)
      const { grant } = seen
      const decision = grant && decide(grant, seen.now, wish)
      if (!grant || (decision !== 'serve' && decision !== 'serve_and_refresh'))
        return await issueSlowly(caller, request, seen)
      noteUse(caller, seen)
      if (decision === 'serve_and_refresh') refreshBehind(caller.workspaceId, request, grant)
      // The record is on its way when the token is opened, and durable before it leaves.
      const recorded = recordAllowed(request, seen)
      const opened = openNext(caller, grant)
      // Awaited below; until then nobody asks for its error.
      opened.catch(() => undefined)
      await recorded
      return await opened
    } catch (error) {
      await recordRefusal(request, seen, error)
      throw error
    }
  }

  /** In the next turn of the event loop, when what was ready for the database has been sent and keeps it busy. */
  async function openNext(caller: NonNullable<TokenSight['caller']>, grant: TokenState): Promise<FreshToken> {
    await whatIsThere()
    return openToken(keyring, caller, grant)
  }

  /** Refreshed, or waited for: what comes of it is on record before it leaves. */
  async function issueSlowly(
    caller: NonNullable<TokenSight['caller']>,
    request: TokenRequest,
    sight: TokenSight,
  ): Promise<FreshToken> {
    const token = await deps.issueToken(caller, request.connection, request.wish)
    noteUse(caller, sight)
    await recordAllowed(request, sight)
    return token
  }

  function noteUse(caller: NonNullable<TokenSight['caller']>, { grant, now }: TokenSight): void {
    noteCallerUse(caller)
    if (grant) deps.uses.note(grant, now)
  }

  function recordAllowed(request: TokenRequest, sight: TokenSight): Promise<void> {
    return audit.record([factsOf(request, sight, 'allowed', null)])
  }

  /** Throws audit_unavailable in the place of what cannot be recorded. */
  async function recordRefusal(request: TokenRequest, sight: TokenSight, error: unknown): Promise<void> {
    const code = error instanceof AuthconnError ? error.code : undefined
    // Without a key there is nothing to decide; without room or a record nothing was decided.
    if (code === 'unauthenticated' || code === 'overloaded' || code === 'audit_unavailable') return
    // A database that is away takes no record either, and is the better answer.
    if (code === undefined) return
    await audit.record([factsOf(request, sight, denials.has(code) ? 'denied' : 'failed', code)])
  }

  /** Once for all who find it due while that goes on. */
  function refreshBehind(workspaceId: string, request: TokenRequest, grant: TokenState): void {
    const key = `${grant.id} ${grant.generation}`
    if (refreshing.has(key)) return
    refreshing.add(key)
    deps.inBackground(refreshDue(workspaceId, request).finally(() => refreshing.delete(key)))
  }

  async function refreshDue(workspaceId: string, { connection, wish }: TokenRequest): Promise<void> {
    const found = await deps.connections.find(workspaceId, connection, wish.subject ?? '')
    if (!found?.grant || decide(found.grant, found.now) !== 'serve_and_refresh') return
    await deps.refreshGrant(found.connection, found.grant)
  }
}

const denials: ReadonlySet<string> = new Set(['invalid_api_key', 'permission_denied'])

function factsOf(
  request: TokenRequest,
  { caller }: TokenSight,
  outcome: AuditFacts['outcome'],
  reason: AuditFacts['reason'],
): AuditFacts {
  return {
    actor: caller ?? null,
    action: 'getToken',
    // What somebody without a key wrote there is nobody's connection.
    connection: caller ? request.connection : null,
    target: null,
    subject: caller ? (request.wish.subject ?? '') : null,
    outcome,
    reason,
    address: request.address,
    requestId: request.requestId,
  }
}

function authorize(sight: TokenSight, { connection, wish }: TokenRequest): NonNullable<TokenSight['caller']> {
  const { caller } = sight
  if (!caller) throw new AuthconnError('invalid_api_key')
  requireAtHome(caller, sight.atHome === true)
  requirePermission(caller, 'token:read', {
    connection,
    ...(wish.subject === undefined ? {} : { subject: wish.subject }),
  })
  return caller
}
