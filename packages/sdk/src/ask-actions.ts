import { AuthconnError } from './authconn-error.ts'
import { explainFailure } from './explain-failure.ts'
import type { IdentityRequest } from './identity.ts'
import { isLoopback } from './is-loopback.ts'
import { parseObject, readText } from './read-text.ts'

/** A token is some two kilobytes long. */
const maxBytes = 64 * 1024

/**
 * A new OIDC token of this job, of GitHub Actions or of what works as that does: asked at the URL that the job was given,
 * with the token that it was given for that, for one audience. Throws identity_token_unavailable, with `retryAfter` where
 * another attempt may help.
 */
export async function askActions(
  { url, token }: { url: string; token: string },
  { audience, signal, fetch }: IdentityRequest,
): Promise<string> {
  const asked = requestUrl(url)
  asked.searchParams.set('audience', audience)
  const response = await fetch(asked, {
    headers: { accept: 'application/json', authorization: `Bearer ${token}` },
    redirect: 'manual',
    signal,
  }).catch((error: unknown) => {
    signal.throwIfAborted()
    throw unavailable(`${asked.origin}: ${explainFailure(error)}`, { cause: error, retryAfter: 1 })
  })
  const text = await readText(response, maxBytes, () => unavailable(`${asked.origin} answered with too much.`))
  if (!response.ok) {
    const passing = response.status >= 500 || response.status === 429
    throw unavailable(`${asked.origin} answered with status ${response.status}.`, passing ? { retryAfter: 1 } : {})
  }
  const answer = parseObject(text)
  const value = answer !== undefined && 'value' in answer ? answer.value : undefined
  if (typeof value === 'string' && value !== '') return value
  throw unavailable(`${asked.origin} answered without a token.`)
}

/** The request token goes nowhere in the clear. */
function requestUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) return url
  throw unavailable('ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL.')
}

function unavailable(detail: string, options: { cause?: unknown; retryAfter?: number } = {}): AuthconnError {
  return new AuthconnError('identity_token_unavailable', detail, options)
}
