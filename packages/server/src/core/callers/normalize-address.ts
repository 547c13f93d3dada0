import { formatAddressRange, isIpv4, parseAddressRange } from './address-range.ts'

/**
 * Where a request came from, as callers' ranges and the audit log write it: without the zone of a link-local address,
 * and an IPv4 address as such where a socket for both families maps it into IPv6 (::ffff:10.0.0.1). null when it is no
 * address, as when a proxy passes words on.
 */
export function normalizeAddress(text: string | null | undefined): string | null {
  if (!text || text.includes('/')) return null
  // Most are, and this is asked for every token.
  if (isIpv4(text)) return text
  const range = parseAddressRange(text.split('%', 1)[0] ?? '')
  return range ? formatAddressRange(range) : null
}
