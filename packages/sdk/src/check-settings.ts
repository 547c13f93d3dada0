import { AuthconnError } from './authconn-error.ts'
import { isLoopback } from './is-loopback.ts'

/**
 * The vault's address as a URL that ends in a slash. Throws usage where it is not one an API key may be sent to:
 * only https, or http to this machine, unless the caller says that the network between is private.
 */
export function checkUrl(given: string, allowInsecureHttp: boolean): URL {
  if (!URL.canParse(given)) throw refusal('The URL of the vault is not a URL.')
  const url = new URL(given)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw refusal(`The URL of the vault must begin with https://, not ${url.protocol}//.`)
  }
  if (url.username || url.password || url.search || url.hash) {
    throw refusal('The URL of the vault must not hold a user name, password, query or fragment.')
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowInsecureHttp) {
    throw refusal(
      `The API key is not sent to ${url.origin} over plain http: anyone on the way could read it.`,
      'Give an https URL. On a private network that you trust, set AUTHCONN_ALLOW_INSECURE_HTTP=true (in code: allowInsecureHttp).',
    )
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** Throws invalid_api_key where the key could not be sent as a header. The platform's own error would show the key. */
export function checkApiKey(apiKey: string): string {
  if (apiKey === '') throw new AuthconnError('unauthenticated', 'The API key is empty.')
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new AuthconnError(
      'invalid_api_key',
      'The API key holds a space, line break or other character that no key has.',
    )
  }
  return apiKey
}

function refusal(
  detail: string,
  hint = 'Give the URL of the vault, such as https://vault.example.com.',
): AuthconnError {
  return new AuthconnError('usage', detail, { title: 'The URL of the vault cannot be used', hint })
}
