import { describe, expect, test } from 'vitest'
import { type AddressKind, judgeAddress } from '../../src/adapters/oauth/address-policy.ts'
import { findUrlProblem } from '../../src/adapters/oauth/check-url.ts'

const addresses: Record<AddressKind, string[]> = {
  public: [
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.1',
    '198.17.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:82f::200e',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '64:ff9b::8.8.8.8',
  ],
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::FFFF:7f00:1',
    '64:ff9b::7f00:1',
  ],
  refused: [
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.100.100.200',
    '169.254.0.1',
    '169.254.169.254',
    '169.254.170.2',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '168.63.129.16',
    '::',
    '::2',
    '::7f00:1',
    '::10.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:0:127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::8.8.8.8',
    '100::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:2::1',
    '2001:10::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:808:808::1',
    '3fff::1',
    '4000::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%lo',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
    '2130706433',
    '0x7f.1',
  ],
}

describe('security 20: an address', () => {
  for (const [kind, list] of Object.entries(addresses)) {
    test.each(list)(`%s is ${kind}`, (address) => {
      expect(judgeAddress(address)).toBe(kind)
    })
  }
})

describe('security 20: a URL is refused as it stands when its host is', () => {
  const refused = [
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.0.0.1./',
    'https://１２７.０.０.１/',
    'https://①②⑦.0.0.1/',
    'https://127。0。0。1/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://localhost/',
    'https://LOCALHOST/',
    'https://localhost./',
    'https://vault.localhost/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2852039166/',
    'https://0xa9fea9fe/',
    'https://0251.0376.0251.0376/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'https://10.0.0.1:8443/',
    'https://0/',
    'https://[::]/',
  ]

  test.each(refused)('%s', (url) => {
    expect(findUrlProblem(new URL(url), { allowLoopback: false })?.kind).toBe('address')
  })

  test.each([
    ['https://user@idp.example/', 'must not hold a user name or password'],
    ['https://idp.example@10.0.0.1/', 'must not hold a user name or password'],
    ['https://:secret@idp.example/', 'must not hold a user name or password'],
    ['https://idp.example/token#x', 'must not hold a fragment'],
    ['https://idp.example/token#', 'must not hold a fragment'],
    ['http://idp.example/', 'must be https'],
    ['ftp://idp.example/', 'must be https'],
    ['file:///etc/passwd', 'must be https'],
    ['data:application/json,{}', 'must be https'],
  ])('%s %s', (url, reason) => {
    expect(findUrlProblem(new URL(url), { allowLoopback: true })).toEqual({ kind: 'form', reason })
  })

  test('loopback is for development, over http and https; nothing else becomes allowed with it', () => {
    expect(findUrlProblem(new URL('http://127.0.0.1:4000/'), { allowLoopback: true })).toBeUndefined()
    expect(findUrlProblem(new URL('https://[::1]:4000/'), { allowLoopback: true })).toBeUndefined()
    expect(findUrlProblem(new URL('http://localhost:4000/'), { allowLoopback: true })).toBeUndefined()
    expect(findUrlProblem(new URL('http://10.0.0.1/'), { allowLoopback: true })?.kind).toBe('address')
    expect(findUrlProblem(new URL('http://169.254.169.254/'), { allowLoopback: true })?.kind).toBe('address')
    expect(findUrlProblem(new URL('https://idp.example/'), { allowLoopback: false })).toBeUndefined()
  })
})
