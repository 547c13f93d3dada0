import { expect, test } from 'vitest'
import { normalizeAddress } from '../../src/core/callers/normalize-address.ts'
import { networkOf } from '../../src/core/limits/network-of.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:0:8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['1:0:0:1::', '1:0:0:1::/64'],
  ['unix:', 'unknown'],
  ['10.0.0.1:4711', 'unknown'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(normalizeAddress(address))).toBe(network)
})
