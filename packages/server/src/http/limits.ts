import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { normalizeAddress } from '../core/callers/normalize-address.ts'
import { AuthconnError } from '../core/errors.ts'
import { networkOf } from '../core/limits/network-of.ts'
import type { Policy, RateLimits } from '../core/limits/rate-limits.ts'
import type { Tally } from '../core/limits/window-counter.ts'
import type { Log } from '../core/ports.ts'
import type { HttpMeter } from './measure-requests.ts'

export interface Limits {
  /** Before anything is looked up. Counts the request and says on the answer how things stand. Throws too_many_requests. */
  check(request: FastifyRequest, reply: FastifyReply): void
  /** The request carried a key, or what was meant to be one, and it was none. */
  authenticationFailed(request: FastifyRequest): void
  /** The key of the request was found in the database. */
  authenticated(request: FastifyRequest): void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the API key that the request presents, in hex; null before it was looked at, and where there is none. */
    keyHash: string | null
  }
}

/** Applies the limits to requests. All of it is synchronous and in memory: it is on the way of every token. */
export function createLimits(deps: {
  rateLimits: RateLimits
  meter: Pick<HttpMeter, 'limited'>
  log: Log
  /** Milliseconds of the wall clock, which processes that count together share. */
  clock: () => number
}): Limits {
  const { rateLimits, meter, log, clock } = deps
  const networks = new Map<string, string>()
  const policyFields: Partial<Record<Policy['name'], string>> = {}

  function networkOfRequest({ ip }: FastifyRequest): string {
    let network = networks.get(ip)
    if (network === undefined) {
      network = networkOf(normalizeAddress(ip))
      // Only there to save the parsing, so it may be forgotten at any time.
      if (networks.size >= 1000) networks.clear()
      networks.set(ip, network)
    }
    return network
  }

  function facts(request: FastifyRequest) {
    return { network: networkOfRequest(request), keyHash: request.keyHash ?? undefined }
  }

  return {
    check(request, reply) {
      // Where a token is asked for nobody looks at a key, so its success says nothing of one.
      const { needsKey, isOpen = false } = request.routeOptions.config
      request.keyHash = needsKey ? hashOfKey(request.headers.authorization) : null
      const now = clock()
      const standing = rateLimits.admit({ ...facts(request), isOpen }, now)
      if (standing === undefined) return
      const secondsLeft = Math.ceil((standing.tally.endsAt - now) / 1000)
      const { policy, tally } = standing
      policyFields[policy.name] ??= policyField(policy)
      reply.header('ratelimit-policy', policyFields[policy.name])
      reply.header('ratelimit', standingField(policy, tally, secondsLeft))
      if (!standing.isRefused) return
      meter.limited(policy.name)
      throw new AuthconnError('too_many_requests', inWords(policy), { retryAfter: secondsLeft })
    },
    authenticationFailed(request) {
      const { network, keyHash } = facts(request)
      if (rateLimits.failed({ network, keyHash }, clock())) {
        log.warn(
          { network },
          'too many API keys or tokens that are not valid: this address is refused until the minute is over',
        )
      }
    },
    authenticated({ keyHash }) {
      if (keyHash !== null) rateLimits.succeeded(keyHash, clock())
    },
  }
}

/** Longer than any API key. What is longer is none, and hashing it would only cost. */
const longestKey = 128

/** Not whether it is a key: that takes longer to see than to count it. */
function hashOfKey(header: string | undefined): string | null {
  if (header === undefined || !/^bearer /i.test(header)) return null
  const key = header.slice('bearer '.length)
  return key.length > longestKey ? null : hash('sha256', key, 'hex')
}

/** draft-ietf-httpapi-ratelimit-headers-11: two fields in place of the three of its first versions. */
function policyField({ name, quota, windowMs }: Policy): string {
  return `"${name}";q=${quota};w=${windowMs / 1000}`
}

function standingField({ name, quota }: Policy, { count }: Tally, secondsLeft: number): string {
  return `"${name}";r=${Math.max(0, quota - count)};t=${secondsLeft}`
}

function inWords({ name, quota, windowMs }: Policy): string {
  const seconds = windowMs / 1000
  switch (name) {
    case 'caller':
      return `This API key has made more than ${quota} requests in ${seconds} seconds`
    case 'address':
      return `${quota} requests from this address in ${seconds} seconds had API keys or tokens that are not valid`
    case 'exchange':
      return `More than ${quota} requests came from this address in ${seconds} seconds to exchange a token or to log in`
    case 'trust':
      return `This trust has given ${quota} keys in ${seconds} seconds`
  }
}

/**
 * An error that says that who sent the request is not who it says, or that nobody can know: it counts against the address.
 * Otherwise tokens that nobody has signed could be sent without end while the keys of an issuer cannot be had.
 */
export function isFailedAuthentication(error: unknown, request: FastifyRequest): boolean {
  if (!(error instanceof AuthconnError)) return false
  // A request without a key is a mistake, or a look around; it asks the database nothing.
  return (
    error.code === 'invalid_api_key' ||
    error.code === 'identity_refused' ||
    error.code === 'identity_provider_unavailable' ||
    (error.code === 'unauthenticated' && request.headers.authorization !== undefined)
  )
}
