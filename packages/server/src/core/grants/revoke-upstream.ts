import { openClient } from '../connections/oauth-client.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { type OAuth, ProviderFailure } from '../oauth-port.ts'
import type { ConnectionStore, GrantStore, Log, PendingRevocation, RevocationStore } from '../ports.ts'
import { Secret } from '../secret.ts'

export interface RevokableToken {
  token: string
  hint: 'refresh_token' | 'access_token'
}

export type UpstreamOutcome = { upstream: 'revoked' | 'retrying'; detail: string | null }

/** Tries a queued revocation at its provider now (RFC 7009). A failure is kept, reported and retried later. */
export type RevokeUpstream = (revocationId: string) => Promise<UpstreamOutcome>

interface Deps {
  revocations: RevocationStore
  connections: ConnectionStore
  grants: GrantStore
  keyring: Keyring
  oauth: OAuth
  log: Log
  /** Longer than the two provider calls of an attempt. */
  leaseSeconds: number
}

/** Seconds between attempts, doubling; with these bounds the last attempt is some three days after the first. */
const firstPause = 30
const longestPause = 21_600
const mostAttempts = 20

export function createRevokeUpstream(deps: Deps): RevokeUpstream {
  const attempt = createAttempt(deps)
  return async function revokeUpstream(id) {
    const pending = await deps.revocations.claim(id, deps.leaseSeconds)
    // The background job was quicker; it reports to the log and keeps the failure with the grant.
    return pending ? attempt(pending) : { upstream: 'retrying', detail: 'An attempt is running' }
  }
}

/** One round over the queued revocations that are due. Resolves to how many it tried. */
export function createRetryRevocations(deps: Deps): () => Promise<number> {
  const attempt = createAttempt(deps)
  return async function retryRevocations() {
    const due = await deps.revocations.claimDue(20, deps.leaseSeconds)
    for (const pending of due) await attempt(pending)
    return due.length
  }
}

function createAttempt({ revocations, connections, grants, keyring, oauth, log }: Deps) {
  return async function attempt(pending: PendingRevocation): Promise<UpstreamOutcome> {
    try {
      await revokeAll(pending)
    } catch (error) {
      const detail =
        error instanceof ProviderFailure ? error.message : 'The vault failed to revoke at the provider'
      if (pending.attempts >= mostAttempts) return giveUp(pending, detail)
      const retryIn = Math.min(longestPause, firstPause * 2 ** pending.attempts) * (0.5 + Math.random() / 2)
      await revocations.reschedule(pending.id, retryIn, detail)
      await grants.setLastError(pending.grantId, {
        code: 'provider_unavailable',
        detail: `Not yet revoked at the provider: ${detail}`,
      })
      log.warn(
        { revocation: pending.id, grant: pending.grantId, error, retryIn },
        'revocation at the provider failed',
      )
      return { upstream: 'retrying', detail }
    }
    await revocations.remove(pending.id)
    await grants.setLastError(pending.grantId, null)
    return { upstream: 'revoked', detail: null }
  }

  async function giveUp(pending: PendingRevocation, detail: string): Promise<UpstreamOutcome> {
    const final = `Not revoked at the provider, and given up after ${pending.attempts} attempts: ${detail}. Revoke it in the provider's console.`
    await revocations.remove(pending.id)
    await grants.setLastError(pending.grantId, { code: 'provider_unavailable', detail: final })
    log.error({ revocation: pending.id, grant: pending.grantId, detail }, 'gave up revoking at the provider')
    return { upstream: 'retrying', detail: final }
  }

  async function revokeAll(pending: PendingRevocation) {
    const connection = await connections.findById(pending.connectionId)
    if (!connection) throw new Error(`Revocation ${pending.id} has lost its connection`)
    const client = await openClient(keyring, connection)
    const opened = await keyring.open(places.revocationTokens(pending), pending.tokens)
    const tokens: RevokableToken[] = JSON.parse(opened.reveal())
    for (const { token, hint } of tokens) await oauth.revoke(client, new Secret(token), hint)
  }
}
