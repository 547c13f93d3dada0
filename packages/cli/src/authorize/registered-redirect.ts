import { AuthconnError, type Connection } from '@authconn/sdk'
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

/**
 * The same for a connection that could be looked at, which a key that may authorize need not be able to. Throws usage where
 * authorize cannot listen.
 */
export function requireRegisteredHost(
  connection: (Registered & Pick<Connection, 'name'>) | undefined,
): RedirectHost {
  const host = connection === undefined ? '127.0.0.1' : registeredHost(connection)
  if (host !== undefined) return host
  throw new AuthconnError(
    'usage',
    `The provider of ${connection?.name} takes https redirect URIs only: ${cannotCatch}.`,
    { hint: `${ownPage} If the application there does take an http one, give --redirect-host.` },
  )
}

export const cannotCatch = 'authconn authorize cannot catch the browser there'

export const ownPage =
  'Register an https address of your own, have the operator list it in AUTHCONN_ALLOWED_REDIRECT_URIS, and give it by authconn authorize --redirect-uri: you then paste the address that the browser ends on. A page there can do the same by the API, as docs/connecting.md shows.'
