import { type AuthconnClient, AuthconnError, type Connection } from '@authconn/sdk'
import type { RedirectHost } from './bind-loopback.ts'

type Registered = Pick<Connection, 'registration'>

/**
 * The host of the redirect URI that the vault tells people to register for this connection, so that authorize comes with
 * the one that is registered; 127.0.0.1 where nothing is said. undefined: an https URI, on which nothing here can listen.
 */
export function registeredHost({ registration }: Registered): RedirectHost | undefined {
  if (registration === null) return '127.0.0.1'
  const { protocol, hostname } = new URL(registration.redirect_uri)
  if (protocol === 'https:') return undefined
  return hostname === 'localhost' ? 'localhost' : hostname === '[::1]' ? '::1' : '127.0.0.1'
}

/** The same for the name of a connection. Throws usage where authorize cannot be used, and what the vault says. */
export async function findRegisteredHost(
  vault: Pick<AuthconnClient, 'call'>,
  name: string,
  signal: AbortSignal,
): Promise<RedirectHost> {
  const connection = await vault
    .call('getConnection', { params: { name } }, { signal })
    .catch((error: unknown) => {
      // A key that may authorize need not be one that may look.
      if (error instanceof AuthconnError && error.code === 'permission_denied') return undefined
      throw error
    })
  const host = connection === undefined ? '127.0.0.1' : registeredHost(connection)
  if (host !== undefined) return host
  throw new AuthconnError('usage', `The provider of ${name} takes https redirect URIs only: ${cannotCatch}.`, {
    hint: `${ownPage} If the application there does take an http one, give --redirect-host.`,
  })
}

export const cannotCatch = 'authconn authorize cannot catch the browser there'

export const ownPage =
  'Make a callback page of your own, have the operator list its address in AUTHCONN_ALLOWED_REDIRECT_URIS, and authorize by startAuthorization and completeAuthorization of the API, as docs/connecting.md shows.'
