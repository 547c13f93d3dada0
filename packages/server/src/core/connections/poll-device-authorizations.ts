import type { AuditLog } from '../audit/audit-log.ts'
import type { AuditFacts } from '../audit-port.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { places } from '../crypto/places.ts'
import { AuthconnError } from '../errors.ts'
import type { GiveBackTokens } from '../grants/give-back-tokens.ts'
import type { AuthorizedTokens, OAuth } from '../oauth-port.ts'
import { persist } from '../persist.ts'
import type { Authorization, AuthorizationStore, Connection, ConnectionStore, DevicePoll, Log } from '../ports.ts'
import { Secret } from '../secret.ts'
import { judgePoll } from './judge-poll.ts'
import { authorizationOver, failAuthorization, type KeepAuthorized } from './keep-authorized.ts'
import { callAsClient } from './oauth-client.ts'
import type { DeviceSecrets } from './start-device-authorization.ts'

/** Questions at a time, by this process. */
const mostAtOnce = 20

/**
 * Asks the providers of pending authorizations by a device code for their outcome, as often as each allows and no more often
 * whoever asks here (RFC 8628 section 3.5). Replicas share them: the database hands out one question at a time.
 */
export function createPollDeviceAuthorizations(deps: {
  authorizations: Pick<AuthorizationStore, 'claimPolls' | 'pollAgain' | 'hold' | 'fail'>
  connections: Pick<ConnectionStore, 'findById'>
  keyring: Keyring
  oauth: Pick<OAuth, 'pollDevice'>
  keepAuthorized: KeepAuthorized
  giveBackTokens: GiveBackTokens
  audit: Pick<AuditLog, 'record'>
  /** Longer than one question takes, and what was answered to be held. */
  claimSeconds: number
  sleep(ms: number): Promise<unknown>
  log: Pick<Log, 'warn' | 'error'>
  /** Takes work that goes on behind a round, so that a shutdown waits for it. */
  inBackground(work: Promise<unknown>): void
}): () => Promise<void> {
  const { authorizations, connections, keyring, oauth, log } = deps
  let underWay = 0

  return async function pollDeviceAuthorizations() {
    if (underWay >= mostAtOnce) return
    for (const due of await authorizations.claimPolls(mostAtOnce - underWay, deps.claimSeconds)) {
      underWay++
      const question = poll(due)
        .catch((error) =>
          log.error({ error, authorization: due.authorization.id }, 'could not poll for a device code'),
        )
        .finally(() => underWay--)
      deps.inBackground(question)
    }
  }

  async function poll(due: DevicePoll): Promise<void> {
    const { authorization, interval } = due
    const connection = await connections.findById(authorization.connectionId)
    if (!connection) return giveUp(due, authorizationOver(authorization))
    // What the database and the key service can fail at is done before there are tokens that could be lost.
    await keyring.prepare(authorization.workspaceId)
    const askedAt = performance.now()
    let tokens: AuthorizedTokens
    try {
      tokens = await ask(authorization, connection)
    } catch (error) {
      const verdict = judgePoll(error, interval)
      if ('askAgain' in verdict) return authorizations.pollAgain(authorization.id, verdict.askAgain)
      return giveUp(due, verdict.giveUp)
    }
    await keep(due, connection, tokens, askedAt)
  }

  async function ask(authorization: Authorization, connection: Connection): Promise<AuthorizedTokens> {
    if (!authorization.secrets) throw authorizationOver(authorization)
    const opened = await keyring.open(places.authorizationSecrets(authorization), authorization.secrets)
    const { deviceCode }: DeviceSecrets = JSON.parse(opened.reveal())
    return callAsClient(keyring, connection, (client) =>
      oauth.pollDevice(client, authorization.scopes, new Secret(deviceCode)),
    )
  }

  /**
   * On record before it is done, as whatever callers have the vault do. The code is spent: a database that is away for a
   * moment must not cost the consent, and nobody else may ask meanwhile, who would be told that the code is none.
   */
  async function keep(
    due: DevicePoll,
    connection: Connection,
    tokens: AuthorizedTokens,
    askedAt: number,
  ): Promise<void> {
    const { authorization } = due
    try {
      const isHeld = await persist(() => authorizations.hold(authorization.id), deps.sleep)
      if (!isHeld) throw authorizationOver(authorization)
      await persist(() => deps.audit.record([{ ...factsOf(due), outcome: 'allowed', reason: null }]), deps.sleep)
    } catch (error) {
      await deps.giveBackTokens({ connection, grantId: undefined }, tokens)
      return giveUp(due, error)
    }
    try {
      await deps.keepAuthorized({ authorization, connection, tokens, askedAt })
    } catch (error) {
      await giveUp(due, error)
    }
  }

  async function giveUp(due: DevicePoll, error: unknown): Promise<void> {
    const { id } = due.authorization
    log.warn({ authorization: id, error }, 'an authorization by a device code failed')
    await failAuthorization(authorizations, id, error)
    const reason = error instanceof AuthconnError ? error.code : 'internal_error'
    await deps.audit.record([{ ...factsOf(due), outcome: 'failed', reason }])
  }
}

function factsOf({ authorization, callerName }: DevicePoll): Omit<AuditFacts, 'outcome' | 'reason'> {
  const { id, callerId, workspaceId, connectionName, subject } = authorization
  return {
    actor: { id: callerId, workspaceId, name: callerName },
    action: 'completeDeviceAuthorization',
    connection: connectionName,
    target: id,
    subject,
    address: null,
    // Nobody asked for it just now.
    requestId: 'authconn-server',
  }
}
