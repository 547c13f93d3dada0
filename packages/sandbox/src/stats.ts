import type { Endpoint } from './http/endpoints.ts'

/** What the sandbox was asked, requests that a fault cut short included. */
export interface SandboxStats {
  /** Authorization requests, not counting the pages that follow. */
  authorizations: number
  /** Token requests by grant type. */
  tokenRequests: Record<string, number>
  revocations: number
  introspections: number
  discoveries: number
  jwksRequests: number
  userinfoRequests: number
  /** Refresh tokens presented a second time: each ended its whole family. */
  refreshTokenReplays: number
  /** Requests that came by following a `redirect` fault to where it leads by default. */
  redirectsFollowed: number
}

export function createStats(): SandboxStats {
  return {
    authorizations: 0,
    tokenRequests: { authorization_code: 0, refresh_token: 0 },
    revocations: 0,
    introspections: 0,
    discoveries: 0,
    jwksRequests: 0,
    userinfoRequests: 0,
    refreshTokenReplays: 0,
    redirectsFollowed: 0,
  }
}

const counters = {
  authorization: 'authorizations',
  revocation: 'revocations',
  introspection: 'introspections',
  discovery: 'discoveries',
  jwks: 'jwksRequests',
  userinfo: 'userinfoRequests',
} as const satisfies Record<Exclude<Endpoint, 'token'>, keyof SandboxStats>

export function countRequest(stats: SandboxStats, endpoint: Endpoint, grantType: string | undefined) {
  if (endpoint !== 'token') stats[counters[endpoint]] += 1
  else {
    const name = grantType ?? 'none'
    stats.tokenRequests[name] = (stats.tokenRequests[name] ?? 0) + 1
  }
}
