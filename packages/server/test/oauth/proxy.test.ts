import type { LookupAddress } from 'node:dns'
import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isException } from '../../src/adapters/oauth/proxy.ts'
import { Secret } from '../../src/core/secret.ts'
import { serverCertificate } from '../support/certificates.ts'
import { openDoor } from './support/doors.ts'
import { failureOf } from './support/failures.ts'
import { serveHttps, trustAuthority } from './support/serve-https.ts'

type Answer = 'connect' | number | 'hang' | 'endless head'

/** A proxy that notes what it is asked for and leads everything to one port of this machine. */
async function startProxy(leadsTo: number, answer: Answer = 'connect', server: Server = createServer()) {
  const asked: { target: string; authorization: string | undefined }[] = []
  const requests: string[] = []
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('request', (request, response) => {
    requests.push(String(request.url))
    response.end()
  })
  server.on('connect', (request, client) => {
    asked.push({ target: String(request.url), authorization: request.headers['proxy-authorization'] })
    client.on('error', () => undefined)
    if (answer === 'hang') return
    if (answer === 'endless head') {
      client.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => client.write(`x-filler: ${'y'.repeat(1000)}\r\n`), 1)
      client.on('close', () => clearInterval(timer))
      return
    }
    if (answer !== 'connect') return client.end(`HTTP/1.1 ${answer} No\r\ncontent-length: 0\r\n\r\n`)
    const upstream = connect(leadsTo, '127.0.0.1')
    sockets.add(upstream)
    upstream.on('error', () => client.destroy())
    upstream.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  return { port, asked, requests }
}

const resolvesTo =
  (...addresses: string[]) =>
  (_name: string, callback: (error: null, found: LookupAddress[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

const unresolvable = () => expect.fail('no name was to be resolved')

/** A door that goes by the proxy; its provider is at addresses that only the proxy of the test leads anywhere. */
function doorBy(port: number, options: Record<string, unknown> = {}, proxy: Record<string, unknown> = {}) {
  const url = new Secret(`http://127.0.0.1:${port}`)
  return openDoor({
    allowLoopback: false,
    timeoutMs: 2000,
    lookup: resolvesTo('93.184.215.14'),
    proxy: { url, exceptions: [], names: 'vault' as const, ...proxy },
    ...options,
  })
}

async function startProvider() {
  trustAuthority()
  const seen: { servername: unknown; host: string | undefined }[] = []
  const { port } = await serveHttps((request, response) => {
    seen.push({ servername: Reflect.get(request.socket, 'servername'), host: request.headers.host })
    response.end('reached')
  })
  return { port, seen }
}

describe('security 20: by a proxy', () => {
  test('the proxy is asked for the checked address, and TLS is for the name', async () => {
    const provider = await startProvider()
    const proxy = await startProxy(provider.port)
    const response = await doorBy(proxy.port)('https://idp.example/token')
    expect(await response.text()).toBe('reached')
    expect(proxy.asked).toEqual([{ target: '93.184.215.14:443', authorization: undefined }])
    expect(provider.seen).toEqual([{ servername: 'idp.example', host: 'idp.example' }])
  })

  test('a port and an IPv6 address are asked for as such, those of IPv4 first', async () => {
    const provider = await startProvider()
    const proxy = await startProxy(provider.port)
    const lookup = resolvesTo('2606:4700:4700::1111')
    await doorBy(proxy.port, { lookup })('https://idp.example:8443/')
    await doorBy(proxy.port, { lookup: resolvesTo('2606:4700:4700::1111', '1.1.1.1') })('https://idp.example/')
    expect(proxy.asked.map(({ target }) => target)).toEqual(['[2606:4700:4700::1111]:8443', '1.1.1.1:443'])
  })

  test.each([
    ['a private address', ['10.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['a public and a private address', ['93.184.215.14', '10.0.0.1']],
    ['loopback', ['127.0.0.1']],
    ['loopback, even where loopback providers are allowed', ['127.0.0.1'], { allowLoopback: true }],
  ] as [string, string[], Record<string, unknown>?][])(
    'a name that resolves to %s is refused before the proxy is asked',
    async (_what, addresses, options = {}) => {
      const proxy = await startProxy(1)
      const door = doorBy(proxy.port, { lookup: resolvesTo(...addresses), ...options })
      expect((await failureOf(door('https://idp.example/'))).kind).toBe('address')
      expect(proxy.asked).toEqual([])
    },
  )

  test.each(['https://10.0.0.1/', 'https://[::ffff:10.0.0.1]/', 'https://127.0.0.1/', 'https://localhost/'])(
    '%s is refused, also where the proxy resolves names',
    async (url) => {
      const proxy = await startProxy(1)
      for (const names of ['vault', 'proxy']) {
        expect((await failureOf(doorBy(proxy.port, {}, { names })(url))).kind).toBe('address')
      }
      expect(proxy.asked).toEqual([])
    },
  )

  test('the proxy is asked for the name where it resolves names, and nobody here resolves it', async () => {
    const provider = await startProvider()
    const proxy = await startProxy(provider.port)
    await doorBy(proxy.port, { lookup: unresolvable }, { names: 'proxy' })('https://idp.example/')
    expect(proxy.asked).toEqual([{ target: 'idp.example:443', authorization: undefined }])
  })

  test('a provider on this machine is called directly, over http and https', async () => {
    const provider = await startProvider()
    const proxy = await startProxy(1)
    const door = doorBy(proxy.port, { allowLoopback: true, lookup: resolvesTo('127.0.0.1') })
    expect(await (await door(`https://localhost:${provider.port}/`)).text()).toBe('reached')
    expect(await (await door(`https://127.0.0.1:${provider.port}/`)).text()).toBe('reached')
    const other = await startProxy(1)
    await door(`http://127.0.0.1:${other.port}/plain`)
    expect(other.requests).toEqual(['/plain'])
    expect(proxy.asked).toEqual([])
  })

  test('what NO_PROXY lists is called directly', async () => {
    const proxy = await startProxy(1)
    // Directly, the checked address is this machine's, which is refused: nobody asked the proxy.
    const door = doorBy(proxy.port, { lookup: resolvesTo('127.0.0.1') }, { exceptions: ['idp.example'] })
    expect((await failureOf(door('https://login.idp.example/'))).kind).toBe('address')
    expect(proxy.asked).toEqual([])
  })
})

describe('security 21: a proxy', () => {
  test('is shown the user name and password it wants, and they are in no error', async () => {
    const provider = await startProvider()
    const proxy = await startProxy(provider.port)
    const url = new Secret(`http://us%3Aer:canary%40@127.0.0.1:${proxy.port}`)
    await doorBy(proxy.port, {}, { url })('https://idp.example/')
    expect(proxy.asked[0]?.authorization).toBe(`Basic ${btoa('us:er:canary@')}`)

    const refusing = await startProxy(1, 407)
    const other = new Secret(`http://user:canary@127.0.0.1:${refusing.port}`)
    const failure = await failureOf(doorBy(refusing.port, {}, { url: other })('https://idp.example/'))
    expect(failure.message).toBe(`The proxy 127.0.0.1:${refusing.port} wants another user name and password`)
  })

  test.each<[string, Answer, RegExp]>([
    ['refuses', 403, /answered 403$/],
    ['redirects', 302, /answered 302$/],
    ['says nothing', 'hang', /could not be reached or gave no answer|no complete answer/],
    ['never ends its head', 'endless head', /could not be reached or gave no answer \(UND_ERR_HEADERS_OVERFLOW\)/],
  ])('that %s is passing trouble, in time', async (_what, answer, words) => {
    const proxy = await startProxy(1, answer)
    const started = performance.now()
    const failure = await failureOf(doorBy(proxy.port, { timeoutMs: 500 })('https://idp.example/'))
    expect(failure).toMatchObject({ kind: 'passing', outcome: answer === 'hang' ? expect.anything() : 'none' })
    expect(failure.message).toMatch(words)
    expect(performance.now() - started).toBeLessThan(3000)
  })

  test('that is not there is passing trouble', async () => {
    const failure = await failureOf(doorBy(1)('https://idp.example/'))
    expect(failure).toMatchObject({ kind: 'passing', outcome: 'none' })
    expect(failure.message).toBe('The proxy 127.0.0.1:1 could not be reached or gave no answer (ECONNREFUSED)')
  })

  test('that leads to somebody else is found out by the certificate', async () => {
    trustAuthority()
    const { port } = await serveHttps((_, response) => response.end('reached'))
    const proxy = await startProxy(port)
    const failure = await failureOf(doorBy(proxy.port)('https://other.example/'))
    expect(failure.message).toContain('the certificate is not valid (ERR_TLS_CERT_ALTNAME_INVALID)')
  })

  test('is itself verified where it is reached by https', async () => {
    const provider = await startProvider()
    const proxy = await startProxy(
      provider.port,
      'connect',
      createHttpsServer(serverCertificate) as unknown as Server,
    )
    const url = new Secret(`https://localhost:${proxy.port}`)
    expect(await (await doorBy(proxy.port, {}, { url })('https://idp.example/')).text()).toBe('reached')
  })

  test('by https whose certificate nobody vouches for is not used', async () => {
    const proxy = await startProxy(1, 'connect', createHttpsServer(serverCertificate) as unknown as Server)
    const url = new Secret(`https://localhost:${proxy.port}`)
    const failure = await failureOf(doorBy(proxy.port, {}, { url })('https://idp.example/'))
    expect(failure.message).toContain('could not be reached or gave no answer (UNABLE_TO_')
    expect(proxy.asked).toEqual([])
  })
})

describe('NO_PROXY', () => {
  test.each([
    ['*', 'idp.example', ''],
    ['idp.example', 'idp.example', ''],
    ['idp.example', 'IDP.EXAMPLE.', ''],
    ['idp.example', 'login.idp.example', ''],
    ['.idp.example', 'login.idp.example', ''],
    ['*.idp.example', 'login.idp.example', ''],
    ['idp.example:443', 'idp.example', ''],
    ['idp.example:8443', 'idp.example', '8443'],
    ['192.0.2.7', '192.0.2.7', ''],
    ['2001:db8::7', '[2001:db8::7]', '8443'],
    ['[2001:db8::7]:8443', '[2001:db8::7]', '8443'],
  ])('%s covers %s with the port %j', (exception, hostname, port) => {
    expect(isException(['other.example', exception], hostname, port)).toBe(true)
  })

  test.each([
    ['idp.example', 'xidp.example', ''],
    ['idp.example', 'idp.example.evil.example', ''],
    ['idp.example:8443', 'idp.example', ''],
    ['*.example.com', 'idp.example', ''],
    ['[2001:db8::7]:8443', '[2001:db8::7]', ''],
    ['2001:db8::7', '[2001:db8::8]', ''],
  ])('%s does not cover %s with the port %j', (exception, hostname, port) => {
    expect(isException([exception], hostname, port)).toBe(false)
  })
})
