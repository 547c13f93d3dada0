/**
 * Whom an address stands for when it is counted: an IPv4 address for itself, an IPv6 address for its /64, which is what
 * one subscriber gets and can make addresses in at will (RFC 4291 section 2.5.4, RFC 6177). What is no address, as when a
 * proxy passes words on, all counts together. Takes an address that has been normalized.
 */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined && groups.length < 4) {
    const after = tail === '' ? [] : tail.split(':')
    const zeros = 8 - groups.length - after.length
    groups.push(...Array.from({ length: zeros }, () => '0'), ...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}
