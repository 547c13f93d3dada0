import type { Grant } from '../../src/core/grant-port.ts'

/** The moment at which example grants are looked at. */
export const now = new Date('2026-01-01T00:00:00Z')

export const secondsLater = (seconds: number) => new Date(now.getTime() + seconds * 1000)

/** An active grant whose token ends in some seconds; null for one without an end. */
export function exampleGrant(secondsLeft: number | null, given: Partial<Grant> = {}): Grant {
  return {
    id: 'grant',
    workspaceId: 'workspace',
    connectionId: 'connection',
    subject: '',
    status: 'active',
    accessToken: Buffer.from('a'),
    refreshToken: Buffer.from('r'),
    refreshable: given.refreshToken !== null || given.renewable === true,
    renewable: false,
    redirectUri: null,
    tokenType: 'Bearer',
    account: null,
    metadata: {},
    scope: null,
    expiresAt: secondsLeft === null ? null : secondsLater(secondsLeft),
    expiryAssumed: false,
    lifetime: 3600,
    generation: 1,
    refreshTokenExpiresAt: null,
    refreshDueAt: null,
    blocked: false,
    retryAt: null,
    failureCount: 0,
    unrecognizedCount: 0,
    rejections: 0,
    lastError: null,
    lastRefreshedAt: null,
    lastUsedAt: null,
    ...given,
  }
}
