import type { ServerResponse } from 'node:http'
import { createBusiestSecond } from './busiest-second.ts'
import type { Endpoint } from './http/endpoints.ts'

/** What the sandbox was asked, requests that a fault cut short included. */
export interface SandboxStats {
  /** Authorization requests, not counting the pages that follow. */
  authorizations: number
  /** Token requests by grant type. */
  tokenRequests: Record<string, number>
  /** The most token requests that came within any one second. */
  busiestSecond: number
  /** Token requests that wait for their answer, until it is sent or the client goes away. */
  concurrentTokenRequests: { now: number; most: number }
  revocations: number
  introspections: number
  /** Authorization requests that were pushed (RFC 9126). */
  pushedAuthorizations: number
  deviceAuthorizations: number
  /** How often a client asked for the outcome of a device code sooner than it was told to. */
  devicePollsTooFast: number
  discoveries: number
  jwksRequests: number
  userinfoRequests: number
  /** How often a used refresh token was presented outside the reuse interval. The first time ends its family. */
  refreshTokenReplays: number
  /** Requests that came by following a `redirect` fault to where it leads by default. */
  redirectsFollowed: number
}

/** Keeps the counters; `stats` always shows the present. */
export function createStatsKeeper() {
  const stats = createStats()
  const busiestSecond = createBusiestSecond()

  return {
    stats,
    count(endpoint: Endpoint, grantType: string | undefined, response: ServerResponse) {
      if (endpoint !== 'token') {
        stats[counters[endpoint]] += 1
        return
      }
      const name = grantType ?? 'none'
      stats.tokenRequests[name] = (stats.tokenRequests[name] ?? 0) + 1
      stats.busiestSecond = Math.max(stats.busiestSecond, busiestSecond.add())
      // A client that has left already closes nothing more.
      if (response.destroyed) return
      const concurrent = stats.concurrentTokenRequests
      concurrent.now += 1
      concurrent.most = Math.max(concurrent.most, concurrent.now)
      response.once('close', () => {
        concurrent.now -= 1
      })
    },
    /** From zero again; requests that are waiting now go on counting as concurrent. */
    reset() {
      const concurrent = stats.concurrentTokenRequests
      concurrent.most = concurrent.now
      Object.assign(stats, createStats(), { concurrentTokenRequests: concurrent })
      busiestSecond.reset()
    },
  }
}

export type StatsKeeper = ReturnType<typeof createStatsKeeper>

const counters = {
  authorization: 'authorizations',
  revocation: 'revocations',
  introspection: 'introspections',
  pushed_authorization: 'pushedAuthorizations',
  device_authorization: 'deviceAuthorizations',
  discovery: 'discoveries',
  jwks: 'jwksRequests',
  userinfo: 'userinfoRequests',
} as const satisfies Record<Exclude<Endpoint, 'token'>, keyof SandboxStats>

function createStats(): SandboxStats {
  return {
    authorizations: 0,
    tokenRequests: { authorization_code: 0, refresh_token: 0 },
    busiestSecond: 0,
    concurrentTokenRequests: { now: 0, most: 0 },
    revocations: 0,
    introspections: 0,
    pushedAuthorizations: 0,
    deviceAuthorizations: 0,
    devicePollsTooFast: 0,
    discoveries: 0,
    jwksRequests: 0,
    userinfoRequests: 0,
    refreshTokenReplays: 0,
    redirectsFollowed: 0,
  }
}
