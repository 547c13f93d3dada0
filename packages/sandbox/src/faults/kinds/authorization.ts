import type { EditKind, Exchange } from '../fault-kind.ts'

/** Authorization responses that a client must refuse. They change the redirect back to the client, nothing before it. */
export const authorizationKinds = {
  authorization_error: redirectKind(
    'Sends the browser back with an error (server_error by default) in place of the code',
    (callback, { options: { error = 'server_error', description } }) => {
      callback.delete('code')
      callback.set('error', error)
      if (description !== undefined) callback.set('error_description', description)
    },
    ['error', 'description'],
  ),
  wrong_iss: redirectKind('Names another issuer (RFC 9207)', (callback) =>
    callback.set('iss', 'https://issuer.example'),
  ),
  missing_iss: redirectKind('Leaves out iss (RFC 9207)', (callback) => callback.delete('iss')),
  wrong_state: redirectKind('Sends another state', (callback) => callback.set('state', 'another-state')),
  missing_state: redirectKind('Leaves out state', (callback) => callback.delete('state')),
  duplicate_state: redirectKind('Sends the state and then another one', (callback) =>
    callback.append('state', 'another-state'),
  ),
} as const satisfies Record<string, EditKind>

function redirectKind(
  about: string,
  change: (callback: URLSearchParams, exchange: Exchange) => void,
  options: EditKind['options'] = [],
): EditKind {
  return {
    about,
    endpoints: ['authorization'],
    options,
    edit(answer, exchange) {
      const location = answer.headers.location
      if (!location || !URL.canParse(location)) return undefined
      const url = new URL(location)
      // The redirects between the sandbox's own pages carry neither.
      if (!url.searchParams.has('code') && !url.searchParams.has('error')) return undefined
      change(url.searchParams, exchange)
      return { ...answer, headers: { ...answer.headers, location: url.href } }
    },
  }
}
