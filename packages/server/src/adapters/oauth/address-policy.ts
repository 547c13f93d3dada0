import { BlockList, isIP } from 'node:net'

/** public: the vault may call it. loopback: only where loopback providers are allowed. refused: never. */
export type AddressKind = 'public' | 'loopback' | 'refused'

/** Judges an IP address in any spelling that node:net accepts; what is no address is refused. */
export function judgeAddress(address: string): AddressKind {
  const family = isIP(address)
  if (family === 4) return judgeIPv4(address)
  // A zone (fe80::1%eth0) is only there on addresses that do not leave the link.
  if (family === 6 && !address.includes('%')) return judgeIPv6(address)
  return 'refused'
}

// IANA IPv4 Special-Purpose Address Registry (RFC 6890), and what clouds put elsewhere.
const refusedIPv4 = blockList('ipv4', [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private, RFC 1918
  ['100.64.0.0', 10], // carrier-grade NAT, RFC 6598; one cloud's metadata service is here
  ['169.254.0.0', 16], // link-local, RFC 3927; most clouds' metadata services are here
  ['172.16.0.0', 12], // private, RFC 1918
  ['192.0.0.0', 24], // IETF protocol assignments; one cloud's metadata service is here
  ['192.0.2.0', 24], // documentation, RFC 5737
  ['192.88.99.0', 24], // 6to4 relays, RFC 7526
  ['192.168.0.0', 16], // private, RFC 1918
  ['198.18.0.0', 15], // benchmarks, RFC 2544
  ['198.51.100.0', 24], // documentation, RFC 5737
  ['203.0.113.0', 24], // documentation, RFC 5737
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
  ['168.63.129.16', 32], // a cloud's host agent, on a public address
])

const loopbackIPv4 = blockList('ipv4', [['127.0.0.0', 8]])

// Global unicast is one block (RFC 4291 section 2.4), so everything outside of it is refused without being named:
// loopback, unspecified, IPv4-compatible, unique local, link-local, multicast, discard, local-use NAT64.
const globalUnicast = blockList('ipv6', [['2000::', 3]])

const refusedIPv6 = blockList('ipv6', [
  ['2001::', 23], // IETF protocol assignments: Teredo, benchmarks, ORCHID
  ['2001:db8::', 32], // documentation, RFC 3849
  ['2002::', 16], // 6to4, RFC 7526: carries any IPv4 address
  ['3fff::', 20], // documentation, RFC 9637
])

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList()
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family)
  return list
}

function judgeIPv4(address: string): AddressKind {
  if (loopbackIPv4.check(address, 'ipv4')) return 'loopback'
  return refusedIPv4.check(address, 'ipv4') ? 'refused' : 'public'
}

function judgeIPv6(address: string): AddressKind {
  const groups = toGroups(address)
  const leading = groups.slice(0, 6).join(':')
  if (leading === '0:0:0:0:0:0' && groups[6] === 0 && groups[7] === 1) return 'loopback'
  // IPv4-mapped (RFC 4291 section 2.5.5.2) and the well-known NAT64 prefix (RFC 6052 section 2.1) reach the
  // IPv4 address that they carry. NAT64 to a public one must work: on IPv6-only networks nothing else does.
  if (leading === mapped || leading === nat64) return judgeIPv4(embeddedIPv4(groups))
  if (!globalUnicast.check(address, 'ipv6') || refusedIPv6.check(address, 'ipv6')) return 'refused'
  return 'public'
}

const mapped = [0, 0, 0, 0, 0, 0xffff].join(':')
const nat64 = [0x64, 0xff9b, 0, 0, 0, 0].join(':')

/** The eight 16-bit groups. WHATWG URL writes each address one way, without dots (RFC 5952). */
function toGroups(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const parse = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const before = parse(head)
  const after = tail === undefined ? [] : parse(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function embeddedIPv4(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.')
}
