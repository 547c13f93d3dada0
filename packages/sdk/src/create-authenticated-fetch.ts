import type { Token } from '@authconn/shared'
import { asRequest } from './as-request.ts'
import { AuthconnError } from './authconn-error.ts'
import type { ConnectionName } from './connection-names.ts'
import { copyForRetry } from './copy-for-retry.ts'
import { isLoopback } from './is-loopback.ts'
import type { GetConnectionToken } from './token-query.ts'

export interface AuthenticatedFetchOptions {
  /** Whose account the token acts for; the application's own unless given. */
  subject?: string | undefined
  /** Seconds that the token must still be valid for when a request begins. */
  minTtl?: number | undefined
  /** Milliseconds for each question to the vault. For the API's answer, give each request a signal. */
  timeout?: number | undefined
  /**
   * What sends the requests to the API, instead of the platform's. It must leave the Authorization header behind, as
   * that does, when it follows a redirect to another origin.
   */
  fetch?: typeof fetch | undefined
}

type Input = Parameters<typeof fetch>[0]

/** What `authenticatedFetch` of a client gives back, by however it gets its tokens. */
export function createAuthenticatedFetch(
  getToken: GetConnectionToken,
  name: ConnectionName,
  options: AuthenticatedFetchOptions = {},
): typeof fetch {
  const { fetch: given, ...asked } = options
  return async (input, init) => {
    const { origin } = checkTarget(input)
    // Looked up now: whoever observes or replaces the platform's fetch may come after this was created.
    const send = given ?? fetch
    const signal = signalOf(input, init)
    const token = await getToken(name, { ...asked, signal })
    const copy = copyForRetry(input, init)
    const response = await send(input, withToken(input, init, token))
    if (response.status !== 401 || hasLeft(origin, response)) return response

    // Also where the request cannot be sent again: the next one then has another token.
    const other = await replace(token, response, () =>
      getToken(name, { ...asked, signal, rejectedVersion: token.version }),
    )
    if (other === undefined || copy === undefined) return response
    await release(response)
    return send(copy, withToken(copy, init, other))
  }
}

/** RFC 6750 section 5.3: whoever reads a bearer token on the way can use it. */
function checkTarget(input: Input): URL {
  const url = new URL(asRequest(input)?.url ?? String(input))
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  const where = url.origin === 'null' ? `a ${url.protocol} URL` : url.origin
  throw new AuthconnError('usage', `The access token is not sent to ${where}: anyone on the way could read it.`, {
    title: 'An access token goes to https URLs only',
    hint: 'Give the https URL of the API. Plain http is for this machine only.',
  })
}

function signalOf(input: Input, init: RequestInit | undefined): AbortSignal | undefined {
  // null stands for none, even beside a Request that has one.
  const signal = init?.signal === undefined ? asRequest(input)?.signal : init.signal
  return signal ?? undefined
}

function withToken(input: Input, init: RequestInit | undefined, token: Token): RequestInit {
  const headers = new Headers(init?.headers ?? asRequest(input)?.headers)
  headers.set('authorization', authorizationOf(token))
  return { ...init, headers }
}

/** Checked here, since the platform's error for what cannot be in a header would show the token. */
function authorizationOf({ token_type, access_token }: Token): string {
  const value = `${token_type} ${access_token}`
  if (/^[\x21-\x7e]+ [\x21-\x7e]+$/.test(value)) return value
  throw new AuthconnError('provider_answer_invalid', 'The access token has characters that fit in no header.')
}

/** The token to use instead of the refused one; undefined when the vault has no other. Throws what the vault says. */
async function replace(
  refused: Token,
  response: Response,
  getAnother: () => Promise<Token>,
): Promise<Token | undefined> {
  try {
    const token = await getAnother()
    return token.version === refused.version ? undefined : token
  } catch (error) {
    if (error instanceof AuthconnError && error.code === 'grant_not_refreshable') return undefined
    await release(response)
    throw error
  }
}

/** After a redirect elsewhere, fetch has left the token behind: the 401 says nothing about it. */
function hasLeft(origin: string, { redirected, url }: Response): boolean {
  return redirected && URL.canParse(url) && new URL(url).origin !== origin
}

/** Frees the connection, which an answer that nobody reads would keep. */
async function release(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}
