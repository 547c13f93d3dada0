import { callAsClient } from '../connections/oauth-client.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { OAuth, TokenSet } from '../oauth-port.ts'
import type { Connection, Log, RevocationStore } from '../ports.ts'
import { sealForRevocation } from './revokable-tokens.ts'
import { listTokens, revokeTokens } from './revoke-tokens.ts'
import type { RevokeUpstream } from './revoke-upstream.ts'

/**
 * Revokes tokens that a provider issued and that found no place: their grant was revoked, their authorization
 * cancelled or their connection deleted meanwhile. Queued like any revocation while the connection is there to
 * authenticate with; otherwise tried once. Never throws: it is called where another error is on its way.
 */
export type GiveBackTokens = (
  home: { connection: Connection; grantId: string | undefined },
  tokens: TokenSet,
) => Promise<void>

export function createGiveBackTokens(deps: {
  revocations: RevocationStore
  revokeUpstream: RevokeUpstream
  keyring: Keyring
  oauth: OAuth
  log: Log
}): GiveBackTokens {
  const { revocations, revokeUpstream, keyring, oauth, log } = deps

  return async function giveBackTokens({ connection, grantId }, tokens) {
    if (!connection.endpoints.revocation_endpoint) {
      log.warn({ connection: connection.id }, 'tokens found no place, and their provider cannot revoke them')
      return
    }
    try {
      if (grantId !== undefined && (await queue(connection, grantId, tokens))) return
      await revokeTokens(listTokens(tokens), (token, hint) =>
        callAsClient(keyring, connection, (client) => oauth.revoke(client, token, hint)),
      )
    } catch (error) {
      log.error({ error, connection: connection.id }, 'could not revoke tokens that found no place')
    }
  }

  async function queue(connection: Connection, grantId: string, tokens: TokenSet): Promise<boolean> {
    const sealed = await sealForRevocation(keyring, connection.workspaceId, tokens)
    const row = { ...sealed, workspaceId: connection.workspaceId, connectionId: connection.id, grantId }
    if (!(await revocations.insert(row))) return false
    await revokeUpstream(sealed.id)
    return true
  }
}
