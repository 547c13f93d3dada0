import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCheckedTransport } from '../../src/adapters/oauth/checked-transport.ts'
import { startNameServer } from '../oauth/support/dns-server.ts'
import { openDoor } from '../oauth/support/doors.ts'
import { failureOf } from '../oauth/support/failures.ts'
import { serve } from '../oauth/support/serve.ts'

// Every way in which somebody may try to have the vault call an address that it must not, one line each.

const publicly = '93.184.215.14'

/** How the hosts of URLs spell addresses; PORT is that of a server which counts who comes. */
const spellings: Record<string, string> = {
  'IPv4 loopback': 'https://127.0.0.1:PORT/',
  'another loopback address': 'https://127.255.255.254:PORT/',
  'two parts': 'https://127.1:PORT/',
  'three parts': 'https://127.0.1:PORT/',
  'one decimal number': 'https://2130706433:PORT/',
  'one hexadecimal number': 'https://0x7f000001:PORT/',
  'hexadecimal parts': 'https://0x7f.0x0.0x0.0x1:PORT/',
  'an octal part': 'https://0177.0.0.1:PORT/',
  'one octal number': 'https://017700000001:PORT/',
  'octal, hexadecimal and decimal together': 'https://0177.0x0.1:PORT/',
  'a trailing dot': 'https://127.0.0.1.:PORT/',
  'full-width digits': 'https://１２７.０.０.１:PORT/',
  'circled digits': 'https://①②⑦.⓪.⓪.①:PORT/',
  'ideographic full stops': 'https://127。0。0。1:PORT/',
  'percent-encoded digits': 'https://%31%32%37.0.0.1:PORT/',
  'percent-encoded full-width digits': 'https://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1:PORT/',
  'a tab and a line break inside': 'https://127.0\t.0\n.1:PORT/',
  localhost: 'https://localhost:PORT/',
  'localhost in capitals': 'https://LOCALHOST:PORT/',
  'localhost with a trailing dot': 'https://localhost.:PORT/',
  'a name below localhost': 'https://idp.localhost:PORT/',
  'localhost in other letters': 'https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/',
  'no slashes': 'https:127.0.0.1:PORT/',
  'too many slashes': 'https:////127.0.0.1:PORT/',
  backslashes: 'https:\\\\127.0.0.1:PORT\\',
  'IPv6 loopback': 'https://[::1]:PORT/',
  'IPv6 loopback in full': 'https://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/',
  'IPv4-mapped IPv6': 'https://[::ffff:127.0.0.1]:PORT/',
  'IPv4-mapped IPv6 in hexadecimal': 'https://[::ffff:7f00:1]:PORT/',
  'IPv4-compatible IPv6': 'https://[::127.0.0.1]:PORT/',
  'IPv4-translated IPv6': 'https://[::ffff:0:127.0.0.1]:PORT/',
  'NAT64 of loopback': 'https://[64:ff9b::7f00:1]:PORT/',
  'NAT64 of the metadata service': 'https://[64:ff9b::169.254.169.254]/',
  'local-use NAT64': 'https://[64:ff9b:1::a9fe:a9fe]/',
  '6to4 of loopback': 'https://[2002:7f00:1::]:PORT/',
  '6to4 of the metadata service': 'https://[2002:a9fe:a9fe::1]/',
  'Teredo of loopback': 'https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/',
  'the unspecified IPv4 address': 'https://0.0.0.0:PORT/',
  zero: 'https://0:PORT/',
  'zero in hexadecimal': 'https://0x0:PORT/',
  'the unspecified IPv6 address': 'https://[::]:PORT/',
  'the metadata service': 'https://169.254.169.254/latest/meta-data/',
  'the metadata service as a decimal number': 'https://2852039166/',
  'the metadata service in hexadecimal': 'https://0xa9fea9fe/',
  'the metadata service in octal': 'https://0251.0376.0251.0376/',
  'the metadata service in three parts': 'https://169.254.43518/',
  'the metadata service, IPv4-mapped': 'https://[::ffff:169.254.169.254]/',
  'the metadata service of containers': 'https://169.254.170.2/',
  'the metadata service over IPv6': 'https://[fd00:ec2::254]/',
  'the metadata service behind a carrier-grade NAT': 'https://100.100.100.200/',
  'the metadata service among the IETF assignments': 'https://192.0.0.192/',
  'the host agent of a cloud': 'https://168.63.129.16/',
  'a carrier-grade NAT': 'https://100.64.0.1/',
  'a private address (10)': 'https://10.0.0.1/',
  'a private address (172.16)': 'https://172.16.0.1/',
  'a private address (192.168)': 'https://192.168.0.1/',
  'a private address at another port': 'https://10.0.0.1:8443/',
  benchmarks: 'https://198.18.0.1/',
  multicast: 'https://224.0.0.1/',
  broadcast: 'https://255.255.255.255/',
  'a reserved address': 'https://240.0.0.1/',
  'IPv6 unique local': 'https://[fc00::1]/',
  'IPv6 link-local': 'https://[fe80::1]/',
  'IPv6 site-local': 'https://[fec0::1]/',
  'IPv6 multicast': 'https://[ff02::1]/',
  'IPv6 documentation': 'https://[2001:db8::1]/',
  'a host that looks like the user': 'https://idp.example@127.0.0.1:PORT/',
  'a host and port that look like user and password': 'https://idp.example:443@127.0.0.1:PORT/',
  'a host behind a backslash': 'https://127.0.0.1:PORT\\@idp.example/',
  'another host in the query': 'https://127.0.0.1:PORT?@idp.example/',
  'another host in the fragment': 'https://127.0.0.1:PORT#@idp.example/',
}

/** What a name server, which is a real one on this machine, may say of a name. */
const names: Record<string, string[]> = {
  'loopback.example': ['127.0.0.1'],
  'zero.example': ['0.0.0.0'],
  'private.example': ['10.0.0.1'],
  'nat.example': ['100.64.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
  '169.254.169.254.nip.example': ['169.254.169.254'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'alias.example': ['CNAME metadata.google.internal'],
  'long-alias.example': ['CNAME alias.example'],
  'loopback6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'mapped-metadata.example': ['::ffff:a9fe:a9fe'],
  'compatible.example': ['::7f00:1'],
  'nat64.example': ['64:ff9b::a9fe:a9fe'],
  '6to4.example': ['2002:7f00:1::'],
  'unique-local.example': ['fd00:ec2::254'],
  'link-local.example': ['fe80::1'],
  'unspecified.example': ['::'],
  'one-of-two.example': [publicly, '127.0.0.1'],
  'one-of-many.example': [publicly, '93.184.215.15', '93.184.215.16', '192.168.0.1'],
  'only-ipv6-is-private.example': [publicly, 'fd00::1'],
  'only-ipv4-is-private.example': ['2606:4700:4700::1111', '10.0.0.1'],
  'xn--bcher-kva.example': ['127.0.0.1'],
}

let counting: Server
let reached = 0
let port = 0
let nameServer: Awaited<ReturnType<typeof startNameServer>>

beforeAll(async () => {
  counting = createServer((socket) => {
    reached++
    socket.destroy()
  })
  await new Promise<void>((resolve) => counting.listen(0, '::', resolve))
  const address = counting.address()
  port = address !== null && typeof address === 'object' ? address.port : 0
  nameServer = await startNameServer({
    ...names,
    // Rebinding: what was harmless to look at is another address a moment later.
    'rebinding.localhost': (before) => (before === 0 ? ['127.0.0.1'] : ['169.254.169.254']),
  })
})
afterAll(() => {
  counting.close()
  nameServer.close()
})

/** Refused by the connection itself, with nobody having looked at the URL before. */
async function connectOnly(url: URL, allowLoopback = false) {
  const transport = createCheckedTransport({
    allowLoopback,
    timeoutMs: 2000,
    // Not every system resolves what is below localhost.
    lookup: (_, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    proxy: undefined,
  })
  const request = { method: 'GET', headers: {}, body: undefined, signal: AbortSignal.timeout(2000) } as const
  try {
    return await failureOf(transport.send(url, request))
  } finally {
    await transport.close()
  }
}

describe('security 20: the connection is refused for', () => {
  test.each(Object.entries(spellings))('%s', async (_what, spelling) => {
    const url = new URL(spelling.replace('PORT', String(port)))
    const before = reached
    expect((await failureOf(openDoor({ allowLoopback: false })(url))).kind).toBe('address')
    expect((await connectOnly(url)).kind).toBe('address')
    expect(reached).toBe(before)
  })

  test.each(Object.keys(names))('the name %s', async (name) => {
    const before = reached
    const door = openDoor({ allowLoopback: false, lookup: nameServer.lookup })
    for (const host of [name, name.toUpperCase(), `${name}.`]) {
      const failure = await failureOf(door(`https://${host}:${port}/`))
      expect(failure.kind, failure.message).toBe('address')
    }
    expect(nameServer.asked).toContain(name)
    expect(reached).toBe(before)
  })

  test('a name in other letters than ASCII', async () => {
    const door = openDoor({ allowLoopback: false, lookup: nameServer.lookup })
    expect((await failureOf(door('https://BÜCHER.example/'))).kind).toBe('address')
  })

  test('an address with a zone, which only a resolver can give', async () => {
    const lookup = (_: string, callback: (error: null, found: { address: string; family: number }[]) => void) =>
      callback(null, [{ address: 'fe80::1%lo', family: 6 }])
    const door = openDoor({ allowLoopback: false, lookup })
    expect((await failureOf(door('https://idp.example/'))).kind).toBe('address')
    expect(URL.canParse('https://[fe80::1%25lo]/')).toBe(false)
  })

  test('a name that was another address when it was last looked at', async () => {
    const { port: served } = await serve((_, response) => response.setHeader('connection', 'close').end('reached'))
    const door = openDoor({ lookup: nameServer.lookup })
    // The connection goes to the very address that was checked: one lookup, though the next would have another answer.
    expect(await (await door(`http://rebinding.localhost:${served}/`)).text()).toBe('reached')
    expect(nameServer.asked.filter((name) => name === 'rebinding.localhost')).toHaveLength(1)
    expect((await failureOf(door(`http://rebinding.localhost:${served}/`))).kind).toBe('address')
  })

  test.each(['22', '25', '53', '80', '110', '143', '389', '465', '636', '993'])('port %s', async (other) => {
    const door = openDoor({ allowLoopback: false, lookup: () => expect.fail('it was resolved') })
    const failure = await failureOf(door(`https://idp.example:${other}/`))
    expect(failure).toMatchObject({ kind: 'address', message: expect.stringContaining('port') })
  })

  test.each([
    'http://idp.example/',
    'http://10.0.0.1/',
    'ftp://idp.example/',
    'gopher://127.0.0.1:6379/_x',
    'file:///etc/passwd',
  ])('another protocol: %s', async (url) => {
    const door = openDoor({ lookup: () => expect.fail('it was resolved') })
    expect((await failureOf(door(url))).kind).toBe('address')
  })
})

describe('security 20: a redirect is not followed', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://169.254.169.254/',
    '//169.254.169.254/',
    'http://localhost:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'gopher://127.0.0.1:PORT/_x',
    '/elsewhere',
  ])('to %s', async (location) => {
    const before = reached
    const { origin, requests } = await serve((_, response) => {
      response.writeHead(307, { location: location.replace('PORT', String(port)) }).end()
    })
    const failure = await failureOf(openDoor()(`${origin}/token`, { method: 'POST', body: 'code=c' }))
    expect(failure).toMatchObject({ kind: 'unintelligible', outcome: 'none' })
    expect(requests).toEqual(['POST /token'])
    expect(reached).toBe(before)
  })
})

test('security 20: allowed loopback providers allow loopback, and nothing else of all this', async () => {
  const isLoopback = (url: URL) =>
    /^(127\.|localhost|.*\.localhost|\[::1\]|\[::ffff:7f00:1\]|\[64:ff9b::7f00:1\])/.test(url.hostname)
  const others = Object.values(spellings)
    .map((spelling) => new URL(spelling.replace('PORT', String(port))))
    .filter((url) => !isLoopback(url))
  expect(others.length).toBeGreaterThan(35)
  for (const url of others) expect((await connectOnly(url, true)).kind, url.href).toBe('address')
})

describe('security 20: where the operator lists hosts, no other is called', () => {
  const allowedHosts = ['idp.example', '*.example.com']

  test.each([
    'https://other.example/',
    'https://idp.example.evil.example/',
    'https://xidp.example/',
    'https://login.idp.example/',
    'https://example.com/',
    'https://evilexample.com/',
    'https://example.com.evil.example/',
    'https://93.184.215.14/',
    'https://idp.example@other.example/',
  ])('%s', async (url) => {
    const door = openDoor({ allowLoopback: false, allowedHosts, lookup: () => expect.fail('it was resolved') })
    expect((await failureOf(door(url))).kind).toMatch(/^(host|address)$/)
  })

  test.each([
    'https://idp.example/',
    'https://IDP.example.:8443/',
    'https://a.example.com/',
    'https://a.b.example.com/',
  ])('%s is looked up, as it is on the list', async (url) => {
    const { lookup, asked, close } = await startNameServer({})
    await failureOf(openDoor({ allowLoopback: false, allowedHosts, lookup })(url))
    close()
    expect(asked).toHaveLength(1)
  })
})
