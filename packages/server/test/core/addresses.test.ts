import { BlockList, isIP, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { containsRange, formatAddressRange, parseAddressRange } from '../../src/core/callers/address-range.ts'
import { normalizeAddress } from '../../src/core/callers/normalize-address.ts'
import { readAddresses } from '../../src/core/callers/read-addresses.ts'

const range = (text: string) => {
  const parsed = parseAddressRange(text)
  if (!parsed) throw new Error(`${text} is no range`)
  return parsed
}

describe('a range', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.7'],
    ['2001:DB8::/32', '2001:db8::/32'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['::/0', '::/0'],
    ['::1/128', '::1'],
    ['1::', '1::'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::FFFF:a00:1', '10.0.0.1'],
  ])('%s is kept as %s', (given, kept) => {
    expect(formatAddressRange(range(given))).toBe(kept)
    expect(formatAddressRange(range(kept))).toBe(kept)
  })

  test.each([
    ...['', '/', '/8', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/08', '10.0.0.0/8 '],
    ...['10.1.2.3/8', '2001:db8::1/32', '10.0.0', '10.0.0.256', '010.0.0.1', '10', '0x0a.0.0.1', '10.0.0.0.1'],
    ...['1.2.3.4:80', ':', ':::', '2001:db8', '1:2:3:4:5:6:7:8:9', 'g::', '::1/129', 'fe80::1%eth0', '[::1]'],
    ...['localhost', '*', '١٠.٠.٠.١', '::ffff:10.0.0.1/64', "::1'; drop table callers"],
  ])('%j is none', (given) => {
    expect(parseAddressRange(given)).toBeUndefined()
  })

  test('contains what the platform says it contains', () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.1', '10.255.255.255', '::1', '2001:db8::1'),
    )
    fc.assert(
      fc.property(address, fc.nat(128), address, (start, prefix, other) => {
        const family = isIPv6(start) ? 'ipv6' : 'ipv4'
        const bits = Math.min(prefix, family === 'ipv6' ? 128 : 32)
        // Where IPv4 may be meant by IPv6 the platform has ideas of its own.
        fc.pre(![start, other].some((text) => /^(0*:)*:?(0*:)*(ffff|0)?:?\d+\./i.test(text)))
        fc.pre(isIP(start) === isIP(other))
        const list = new BlockList()
        list.addSubnet(start, bits, family)
        const { start: value, ...rest } = range(start)
        const free = BigInt((family === 'ipv6' ? 128 : 32) - bits)
        const outer = { ...rest, start: (value >> free) << free, bits }
        expect(containsRange(outer, range(other))).toBe(list.check(other, family))
        expect(parseAddressRange(formatAddressRange(outer))).toEqual(outer)
      }),
      { numRuns: 2000 },
    )
  })

  test('of one family contains none of the other', () => {
    expect(containsRange(range('::/0'), range('10.0.0.1'))).toBe(false)
    expect(containsRange(range('0.0.0.0/0'), range('::1'))).toBe(false)
  })

  test('does not contain a wider one that begins at the same address', () => {
    expect(containsRange(range('10.0.0.0/16'), range('10.0.0.0/8'))).toBe(false)
  })
})

describe('the address of a request', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['0:0:0:0:0:ffff:a00:1', '10.0.0.1'],
    ['2001:DB8:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is %s', (given, normal) => {
    expect(normalizeAddress(given)).toBe(normal)
    expect(normalizeAddress(normal)).toBe(normal)
  })

  test.each(['', 'unknown', '10.0.0.1:80', '10.0.0.0/8', '10.0.0.0/32', 'a%b', '%', null, undefined])(
    '%j is none',
    (given) => {
      expect(normalizeAddress(given)).toBeNull()
    },
  )
})

describe('the addresses of a caller', () => {
  test('are kept in one spelling, each once', () => {
    expect(readAddresses(['10.0.0.0/8', '::ffff:10.0.0.0/104', '2001:DB8::/32'])).toEqual([
      '10.0.0.0/8',
      '2001:db8::/32',
    ])
    expect(readAddresses(null)).toBeNull()
  })

  test('are refused with the one that is wrong', () => {
    expect(() => readAddresses(['10.0.0.0/8', '10.1.2.3/8'])).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('10.1.2.3/8') }),
    )
  })
})
