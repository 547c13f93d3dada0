import { callAsClient } from '../connections/oauth-client.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import type { GrantStore } from '../grant-port.ts'
import { type OAuth, ProviderFailure } from '../oauth-port.ts'
import type { ConnectionStore, Log, PendingRevocation, RevocationStore } from '../ports.ts'
import { parseRevokableTokens } from './revokable-tokens.ts'
import { revokeTokens } from './revoke-tokens.ts'

export interface UpstreamOutcome {
  /** `failed`: given up; the detail says what a person can do. */
  upstream: 'revoked' | 'retrying' | 'unsupported' | 'failed'
  detail: string | null
}

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

/** Works through the queued revocations that are due, one claimed at a time, until there are none or it is stopped. */
export function createRetryRevocations(deps: Deps): (signal: AbortSignal) => Promise<void> {
  const attempt = createAttempt(deps)
  return async function retryRevocations(signal) {
    while (!signal.aborted) {
      const pending = await deps.revocations.claimDue(deps.leaseSeconds)
      if (!pending) return
      await attempt(pending)
    }
  }
}

function createAttempt({ revocations, connections, grants, keyring, oauth, log }: Deps) {
  return async function attempt(pending: PendingRevocation): Promise<UpstreamOutcome> {
    try {
      if ((await revokeAll(pending)) === 'in_doubt') return leaveInDoubt(pending)
    } catch (error) {
      const detail =
        error instanceof ProviderFailure ? error.message : 'The vault could not open what it is to revoke'
      if (error instanceof ProviderFailure && error.kind === 'unsupported') {
        await revocations.remove(pending.id)
        return { upstream: 'unsupported', detail }
      }
      if (pending.attempts >= mostAttempts) return giveUp(pending, detail)
      const retryIn = Math.min(longestPause, firstPause * 2 ** pending.attempts) * (0.5 + Math.random() / 2)
      await revocations.reschedule(pending.id, retryIn, detail)
      await grants.setLastError(pending.grantId, {
        code: 'provider_unavailable',
        class: 'passing',
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

  async function giveUp(pending: PendingRevocation, why: string): Promise<UpstreamOutcome> {
    return fail(
      pending,
      `Not revoked at the provider, and given up after ${pending.attempts} attempts: ${why}. Revoke it in the provider's console.`,
    )
  }

  /** Trying again is of no use: an access token that the provider does not know does not come back. */
  async function leaveInDoubt(pending: PendingRevocation): Promise<UpstreamOutcome> {
    return fail(
      pending,
      "The provider revokes by the access token only, and does not know this one any more. The refresh token may still work there: remove the access in the provider's console.",
    )
  }

  async function fail(pending: PendingRevocation, detail: string): Promise<UpstreamOutcome> {
    await revocations.remove(pending.id)
    await grants.setLastError(pending.grantId, {
      code: 'provider_unavailable',
      class: 'permanent',
      detail,
    })
    log.error({ revocation: pending.id, grant: pending.grantId, detail }, 'not revoked at the provider')
    return { upstream: 'failed', detail }
  }

  async function revokeAll(pending: PendingRevocation) {
    const connection = await connections.findById(pending.connectionId)
    if (!connection) throw new Error(`Revocation ${pending.id} has lost its connection`)
    const tokens = parseRevokableTokens(await keyring.open(places.revocationTokens(pending), pending.tokens))
    return revokeTokens(tokens, (token, hint) =>
      callAsClient(keyring, connection, (client) => oauth.revoke(client, token, hint)),
    )
  }
}
