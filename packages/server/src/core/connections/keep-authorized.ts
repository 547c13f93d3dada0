import type { Account } from '@authconn/shared'
import type { Keyring } from '../crypto/keyring.ts'
import { AuthconnError } from '../errors.ts'
import type { Grant, GrantNow, GrantStore } from '../grant-port.ts'
import type { GiveBackTokens } from '../grants/give-back-tokens.ts'
import { sealTokens } from '../grants/seal-tokens.ts'
import { type AuthorizedTokens, type OAuth, ProviderFailure } from '../oauth-port.ts'
import { persist } from '../persist.ts'
import { persistSealed } from '../persist-sealed.ts'
import type { Authorization, AuthorizationStore, Connection, Log } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { callAsClient } from './oauth-client.ts'

/**
 * Stores the tokens that an authorization has given, and completes it. Where it is over or its connection gone, the tokens
 * are revoked. `askedAt`: performance.now() when the provider was asked. Throws authorization_over.
 */
export type KeepAuthorized = (given: {
  authorization: Authorization
  connection: Connection
  tokens: AuthorizedTokens
  askedAt: number
}) => Promise<GrantNow>

export function createKeepAuthorized(deps: {
  authorizations: Pick<AuthorizationStore, 'complete'>
  grants: GrantStore
  keyring: Keyring
  oauth: Pick<OAuth, 'findAccount'>
  giveBackTokens: GiveBackTokens
  sleep(ms: number): Promise<unknown>
  log: Pick<Log, 'warn'>
}): KeepAuthorized {
  const { grants, keyring, oauth } = deps

  return async function keepAuthorized({ authorization, connection, tokens, askedAt }) {
    const { id, subject } = authorization
    let grantId: string | undefined
    try {
      const grant = await persist(() => grants.ensure(connection, subject), deps.sleep)
      if (!grant) throw authorizationOver(authorization)
      grantId = grant.id
      const row = { id: grant.id, workspaceId: connection.workspaceId }
      const { outcome } = await persistSealed(
        deps,
        connection.workspaceId,
        () => sealTokens(keyring, row, tokens, askedAt, tokens.refreshToken !== null),
        (sealed) =>
          deps.authorizations.complete(id, grant.id, { ...sealed, age: performance.now() - askedAt }, tokens),
      )
      if (outcome !== 'stored') throw authorizationOver(authorization)
    } catch (error) {
      await deps.giveBackTokens({ connection, grantId }, tokens)
      throw error
    }
    const stored = await grants.findById(grantId)
    // Deleted in this very moment: the deletion has seen the tokens and revokes them.
    if (!stored) throw authorizationOver(authorization)
    const account = tokens.account ?? (await findAccount(connection, stored.grant, tokens.accessToken))
    const grant = { ...stored.grant, account }
    return { grant, now: stored.now }
  }

  /** Only now that the tokens are kept: the account is for people to read, and nothing waits or fails for it. */
  async function findAccount(connection: Connection, grant: Grant, accessToken: Secret): Promise<Account | null> {
    try {
      const account = await callAsClient(keyring, connection, (client) => oauth.findAccount(client, accessToken))
      return account && (await grants.setAccount(grant, account)) ? account : null
    } catch (error) {
      const reason = error instanceof ProviderFailure ? error.message : 'the vault failed'
      deps.log.warn(
        { grant: grant.id, connection: connection.id, reason },
        'it is not known whose tokens these are',
      )
      return null
    }
  }
}

/** Ends an authorization that came to nothing, with why. */
export async function failAuthorization(
  authorizations: Pick<AuthorizationStore, 'fail'>,
  id: string,
  error: unknown,
): Promise<void> {
  if (error instanceof AuthconnError) await authorizations.fail(id, error.message, error.code)
  else await authorizations.fail(id, 'The vault failed', 'internal_error')
}

export function authorizationOver({ status }: Authorization): AuthconnError {
  const reason = status === 'pending' ? 'being completed already, cancelled, or its connection is deleted' : status
  return new AuthconnError('authorization_over', `This authorization is ${reason}`)
}
