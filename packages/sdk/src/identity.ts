/** What an OIDC token is asked for. */
export interface IdentityRequest {
  /** Whom the token must be for, its `aud`: what the trust in the vault names. */
  audience: string
  /** Ends the request. */
  signal: AbortSignal
  /** What the client sends its requests with. */
  fetch: typeof fetch
}

/**
 * Resolves to an OIDC token by which this program shows who it is: that of a CI job, a pod, or another platform. It is called
 * whenever the vault is to give another key, and should give another token each time where the platform can.
 */
export type GetIdentityToken = (asked: IdentityRequest) => Promise<string> | string

/** An identity, and what else the vault is told when it is exchanged. */
export interface IdentitySettings {
  identity: GetIdentityToken
  audience: string
  workspace: string | undefined
  trust: string | undefined
}

/** The audience that stands for a vault where nothing else is said: its URL, in one spelling. */
export function audienceOf(vaultUrl: string): string {
  const { origin, pathname } = new URL(vaultUrl)
  return origin + pathname.replace(/\/+$/, '')
}
