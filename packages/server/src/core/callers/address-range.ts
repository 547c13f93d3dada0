/** A range of IP addresses, an address alone being the range that holds it and no other. */
export interface AddressRange {
  family: 4 | 6
  /** The first address of it. */
  start: bigint
  /** How many leading bits all its addresses share. */
  bits: number
}

/**
 * An address or a CIDR range (RFC 4632, RFC 4291 section 2.3); undefined when it is neither, and also for a range that
 * does not begin where it says (10.1.2.3/8). IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) is IPv4.
 */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const found = parseAddress(address)
  if (!found || rest.length > 0) return undefined
  const bits = prefix === undefined ? widths[found.family] : parsePrefix(prefix)
  if (bits === undefined || bits > widths[found.family]) return undefined
  if (startOf(found.value, found.family, bits) !== found.value) return undefined
  return unmap({ family: found.family, start: found.value, bits })
}

/** The range in the one spelling that everything here and the database agree on. */
export function formatAddressRange({ family, start, bits }: AddressRange): string {
  const address = family === 4 ? formatIpv4(start) : formatIpv6(start)
  return bits === widths[family] ? address : `${address}/${bits}`
}

/** Whether every address of `inner` is in `outer`. */
export function containsRange(outer: AddressRange, inner: AddressRange): boolean {
  return (
    outer.family === inner.family &&
    outer.bits <= inner.bits &&
    startOf(inner.start, inner.family, outer.bits) === outer.start
  )
}

const widths = { 4: 32, 6: 128 } as const

function parseAddress(text: string): { family: 4 | 6; value: bigint } | undefined {
  const value = parseIpv4(text)
  if (value !== undefined) return { family: 4, value }
  const longer = parseIpv6(text)
  return longer === undefined ? undefined : { family: 6, value: longer }
}

/** Without leading zeros, which some programs read as octal. */
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)

export function isIpv4(text: string): boolean {
  return ipv4.test(text)
}

function parseIpv4(text: string): bigint | undefined {
  if (!isIpv4(text)) return undefined
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)
}

/** By the URL standard's parser, which gives eight groups at most, shortened in one place at most, and no dots. */
function parseIpv6(text: string): bigint | undefined {
  const url = `http://[${text}]`
  if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(url)) return undefined
  const [head = '', tail = ''] = new URL(url).hostname.slice(1, -1).split('::')
  const [before, after] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n)
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':')
}

function parsePrefix(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) ? Number(text) : undefined
}

function startOf(value: bigint, family: 4 | 6, bits: number): bigint {
  const free = BigInt(widths[family] - bits)
  return (value >> free) << free
}

function unmap(range: AddressRange): AddressRange {
  if (range.family === 4 || range.bits < 96 || range.start >> 32n !== 0xffffn) return range
  return { family: 4, start: range.start & 0xffff_ffffn, bits: range.bits - 96 }
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) => (value >> BigInt(112 - 16 * at)) & 0xffffn)
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
}
