import { hash } from 'node:crypto'

/**
 * The nonce of an ID token that somebody obtained for one vault: it binds the token to the URL by which they know that
 * vault, so that another vault that they log in to cannot hand it on. Who makes the nonce chooses the secret, which is told
 * with the token only.
 */
export function loginNonce(secret: string, vaultUrl: string): string {
  return hash('sha256', secret + inOneSpelling(vaultUrl), 'base64url')
}

/** Without a path of nothing or a slash at its end, as the library writes the audience of a vault. */
function inOneSpelling(vaultUrl: string): string {
  if (!URL.canParse(vaultUrl)) return vaultUrl
  const { origin, pathname } = new URL(vaultUrl)
  return origin + pathname.replace(/\/+$/, '')
}
