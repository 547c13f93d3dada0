import { AuthconnError } from '../errors.ts'

const loopbackHosts = new Set(['127.0.0.1', '[::1]', 'localhost'])

/**
 * The redirect URI as it was given, if codes may be sent there: http on loopback with any port (RFC 8252 section 7.3),
 * or one of the operator's exact list. Throws redirect_uri_not_allowed.
 */
export function checkRedirectUri(redirectUri: string, allowed: readonly string[]): string {
  if (allowed.includes(redirectUri)) return redirectUri
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined
  const refused = (reason: string) => new AuthconnError('redirect_uri_not_allowed', `The redirect URI ${reason}`)
  if (!url) throw refused('is not an absolute URL')
  if (url.hash || redirectUri.includes('#')) throw refused('has a fragment (RFC 6749 section 3.1.2 forbids it)')
  if (url.username || url.password) throw refused('has a user name or password')
  if (url.search || redirectUri.includes('?')) throw refused('has a query')
  if (url.protocol !== 'http:' || !loopbackHosts.has(url.hostname)) {
    throw refused(`goes to ${url.protocol}//${url.host}, which is neither loopback nor on the list`)
  }
  // Spellings such as http://127.1 would be another string at the provider than in the browser.
  if (url.href !== redirectUri) throw refused(`must be spelled ${url.href}`)
  return redirectUri
}

/**
 * Whether the browser was sent to exactly the redirect URI: RFC 9700 section 2.1 wants exact matching. A query that it has of
 * its own stays in it (RFC 6749 section 3.1.2); what the provider adds stands beside.
 */
export function isRedirectTo(redirected: URL, redirectUri: string): boolean {
  const expected = new URL(redirectUri)
  const keepsQuery = [...expected.searchParams.keys()].every(
    (name) => String(redirected.searchParams.getAll(name)) === String(expected.searchParams.getAll(name)),
  )
  return (
    keepsQuery &&
    redirected.origin === expected.origin &&
    redirected.pathname === expected.pathname &&
    redirected.username === '' &&
    redirected.password === ''
  )
}
