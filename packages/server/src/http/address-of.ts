import type { FastifyRequest } from 'fastify'
import { normalizeAddress } from '../core/callers/normalize-address.ts'

/** Where a request came from, for records and comparisons; null when a proxy passed on something that is no address. */
export function addressOf({ ip }: Pick<FastifyRequest, 'ip'>): string | null {
  return normalizeAddress(ip)
}
