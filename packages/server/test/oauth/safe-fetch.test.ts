import type { LookupAddress } from 'node:dns'
import { createServer as createHttpsServer } from 'node:https'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openDoor } from './support/doors.ts'
import { failureOf } from './support/failures.ts'
import { selfSigned } from './support/self-signed.ts'
import { serve, serveTcp } from './support/serve.ts'

/** A resolver that answers with these addresses, and counts. */
function resolvesTo(...answers: string[][]) {
  const asked: string[] = []
  return {
    asked,
    lookup(hostname: string, callback: (error: Error | null, addresses: LookupAddress[]) => void) {
      const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? []
      asked.push(hostname)
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    },
  }
}

describe('an answer', () => {
  test('comes back whole, with status and headers', async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(418, {
        'content-type': 'application/json',
        'x-asked': String(request.headers['x-asked']),
      })
      response.end('{"short":"stout"}')
    })
    const response = await openDoor()(`${origin}/pot`, { headers: { 'x-asked': 'yes' } })
    expect(response.status).toBe(418)
    expect(response.headers.get('x-asked')).toBe('yes')
    expect(await response.json()).toEqual({ short: 'stout' })
  })

  test('without a body is an empty one', async () => {
    const { origin } = await serve((_, response) => response.writeHead(204).end())
    expect(await (await openDoor()(origin)).text()).toBe('')
  })

  test('is asked for uncompressed, by a named client, with the body as it was given', async () => {
    const { origin } = await serve(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { 'accept-encoding': encoding, 'user-agent': agent } = request.headers
      response.end(
        JSON.stringify({ encoding, agent, method: request.method, body: Buffer.concat(chunks).toString() }),
      )
    })
    const response = await openDoor({ version: '1.2.3' })(origin, {
      method: 'POST',
      body: 'a=1',
      headers: { 'user-agent': 'other', 'accept-encoding': 'gzip' },
    })
    expect(await response.json()).toEqual({
      encoding: 'identity',
      agent: 'authconn/1.2.3',
      method: 'POST',
      body: 'a=1',
    })
  })
})

describe('security 20: an address is checked when connecting', () => {
  const refusedNames: Record<string, string[]> = {
    'a name that resolves to loopback': ['127.0.0.1'],
    'a name that resolves to a private address': ['10.1.2.3'],
    'a name that resolves to the metadata service': ['169.254.169.254'],
    'a name that resolves to an IPv4-mapped private address': ['::ffff:192.168.1.1'],
    'a name that resolves to a unique local address': ['fd00::1'],
    'a name with a public and a private address': ['93.184.215.14', '10.0.0.1'],
    'a name that resolves to nothing': [],
  }

  test.each(Object.entries(refusedNames))('%s is refused', async (_, addresses) => {
    const { lookup } = resolvesTo(addresses)
    const failure = await failureOf(openDoor({ allowLoopback: false, lookup })('https://idp.example/token?code=c'))
    expect(failure.kind).toBe('address')
    expect(failure.message).toBe('idp.example is at an address that the vault does not call')
  })

  test('a trailing dot does not hide a name', async () => {
    const { lookup } = resolvesTo(['127.0.0.1'])
    expect((await failureOf(openDoor({ allowLoopback: false, lookup })('https://idp.example./'))).kind).toBe(
      'address',
    )
  })

  test('the connection goes to the address that was checked: the name is not resolved again', async () => {
    const { origin, port } = await serve((_, response) => response.end('reached'))
    // The second answer would be elsewhere, as with DNS rebinding.
    const resolver = resolvesTo(['127.0.0.1'], ['169.254.169.254'])
    const door = openDoor({ lookup: resolver.lookup })
    const response = await door(`http://rebind.localhost:${port}/`)
    expect(await response.text()).toBe('reached')
    expect(resolver.asked).toEqual(['rebind.localhost'])
    expect(origin).toContain(String(port))
  })

  test('a name with several allowed addresses is reached at the one that answers', async () => {
    const { port } = await serve((_, response) => response.end('reached'))
    const { lookup } = resolvesTo(['::1', '127.0.0.1'])
    expect(await (await openDoor({ lookup })(`http://localhost:${port}/`)).text()).toBe('reached')
    expect(await (await openDoor()(`http://localhost:${port}/`)).text()).toBe('reached')
  })

  test('a name that resolves differently later is judged again with its next connection', async () => {
    const { port } = await serve((_, response) => response.setHeader('connection', 'close').end('reached'))
    const { lookup } = resolvesTo(['127.0.0.1'], ['10.0.0.1'])
    const door = openDoor({ lookup })
    await door(`http://rebind.localhost:${port}/`)
    expect((await failureOf(door(`http://rebind.localhost:${port}/`))).kind).toBe('address')
  })

  test.each(['https://127.0.0.1:1/', 'https://2130706433:1/', 'https://0177.1:1/', 'https://[::ffff:7f00:1]:1/'])(
    '%s is refused without loopback providers',
    async (url) => {
      expect((await failureOf(openDoor({ allowLoopback: false })(url))).kind).toBe('address')
    },
  )

  test('plain http stays on this machine even when a local-looking name resolves elsewhere', async () => {
    const { lookup } = resolvesTo(['93.184.215.14'])
    const failure = await failureOf(openDoor({ lookup })('http://sneaky.localhost/'))
    expect(failure.kind).toBe('address')
  })

  test('allowed loopback does not allow private addresses', async () => {
    const { lookup } = resolvesTo(['192.168.0.1'])
    expect((await failureOf(openDoor({ lookup })('https://idp.example/'))).kind).toBe('address')
    expect((await failureOf(openDoor()('https://192.168.0.1/'))).kind).toBe('address')
  })

  test.each(['http://idp.example/', 'https://user:canary@idp.example/', 'ftp://idp.example/'])(
    '%s is refused',
    async (url) => {
      const failure = await failureOf(openDoor()(url))
      expect(failure.kind).toBe('address')
      expect(failure.message).not.toContain('canary')
    },
  )
})

describe('security 21: a bad answer is a clear error', () => {
  test.each([301, 302, 303, 307, 308, 304])('a redirect (%i) is not followed', async (status) => {
    const { origin, requests } = await serve((_, response) => {
      response.writeHead(status, { location: 'http://169.254.169.254/' }).end()
    })
    const failure = await failureOf(openDoor()(`${origin}/token?code=secret`, { method: 'POST', body: 'x' }))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toBe(
      `POST ${origin}/token: answered with a redirect (${status}), which the vault does not follow`,
    )
    expect(requests).toHaveLength(1)
  })

  test('an endless body ends at the limit, and so does its connection', async () => {
    const closed = Promise.withResolvers<void>()
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.on('close', closed.resolve)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    })
    const failure = await failureOf(openDoor({ maxBodyBytes: 100_000 })(origin))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toContain('larger than 100000 bytes')
    await closed.promise
  })

  test('an announced body over the limit is not read', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '300000' })
      response.write('x')
    })
    const failure = await failureOf(openDoor()(origin, { maxBodyBytes: 200_000 }))
    expect(failure.message).toContain('larger than 200000 bytes')
  })

  test('a body of exactly the limit passes', async () => {
    const { origin } = await serve((_, response) => response.end('x'.repeat(1000)))
    expect(await (await openDoor({ maxBodyBytes: 1000 })(origin)).text()).toHaveLength(1000)
  })

  test('a compressed bomb is refused, not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(bomb)
    })
    const failure = await failureOf(openDoor()(origin))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toContain('compressed')
  })

  test('huge headers are refused', async () => {
    const { origin } = await serveTcp((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${'x-filler: '.padEnd(1000, 'y')}\r\n`.repeat(1))
      for (let index = 0; index < 64; index++) socket.write(`x-${index}: ${'y'.repeat(1000)}\r\n`)
      socket.write('content-length: 0\r\n\r\n')
    })
    const failure = await failureOf(openDoor()(origin))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toContain('headers')
  })

  test('what is not HTTP is refused', async () => {
    const { origin } = await serveTcp((socket) =>
      socket.on('data', () => socket.write('220 mail.example ESMTP\r\n')),
    )
    const failure = await failureOf(openDoor()(origin))
    expect(failure.kind).toBe('unintelligible')
    expect(failure.message).toContain('not HTTP')
  })

  test('a status that HTTP does not have is refused', async () => {
    const { origin } = await serveTcp((socket) => socket.end('HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n'))
    expect((await failureOf(openDoor()(origin))).kind).toBe('unintelligible')
  })
})

describe('security 21: trouble is passing, and bounded in time', () => {
  const slow = { timeoutMs: 300 }

  test('a server that accepts and says nothing', async () => {
    const { origin } = await serveTcp(() => undefined)
    const failure = await failureOf(openDoor(slow)(`${origin}/token`))
    expect(failure.kind).toBe('passing')
    expect(failure.message).toBe(`GET ${origin}/token: no complete answer within 0.3 s`)
  })

  test('a body that stops in the middle', async () => {
    const { origin } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('12345')
    })
    expect((await failureOf(openDoor(slow)(origin))).message).toContain('no complete answer within 0.3 s')
  })

  test('a body that trickles in, a byte at a time, each well within any pause', async () => {
    const { origin } = await serve((_, response) => {
      const timer = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(timer))
    })
    const started = performance.now()
    expect((await failureOf(openDoor(slow)(origin))).kind).toBe('passing')
    expect(performance.now() - started).toBeLessThan(3000)
  })

  test('a name that takes forever to resolve', async () => {
    const failure = await failureOf(
      openDoor({ ...slow, allowLoopback: false, lookup: () => undefined })('https://idp.example/'),
    )
    expect(failure.kind).toBe('passing')
  })

  test('a name that does not exist', async () => {
    const lookup = (_: string, callback: (error: Error, addresses: []) => void) =>
      callback(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), [])
    const failure = await failureOf(openDoor({ lookup })('https://idp.example/token'))
    expect(failure.kind).toBe('passing')
    expect(failure.message).toBe('GET https://idp.example/token: the host name cannot be resolved')
  })

  test('a connection that is refused', async () => {
    const { origin } = await serveTcp(() => undefined)
    const gone = new URL(origin)
    gone.port = '1'
    const failure = await failureOf(openDoor()(gone))
    expect(failure.kind).toBe('passing')
    expect(failure.message).toContain('the connection was refused')
  })

  test('a connection that is reset', async () => {
    const { origin } = await serveTcp((socket) => socket.resetAndDestroy())
    expect((await failureOf(openDoor()(origin))).kind).toBe('passing')
  })

  test('a connection that closes before the answer is complete', async () => {
    const { origin } = await serveTcp((socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'),
    )
    expect((await failureOf(openDoor()(origin))).kind).toBe('passing')
  })

  test('a server that does not speak TLS', async () => {
    const { port } = await serve((_, response) => response.end())
    expect((await failureOf(openDoor()(`https://127.0.0.1:${port}/`))).kind).toBe('passing')
  })
})

describe('security 21: TLS is verified', () => {
  test('a certificate that nobody vouches for is refused, whatever the environment says', async () => {
    const server = createHttpsServer(selfSigned, (_, response) => response.end('reached'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const failure = await failureOf(openDoor()(`https://127.0.0.1:${port}/`))
    expect(failure.kind).toBe('passing')
    expect(failure.message).toContain('the certificate is not valid (DEPTH_ZERO_SELF_SIGNED_CERT)')
  })
})

test('the failure of a request holds neither its query nor its body nor a cause', async () => {
  const { origin } = await serveTcp((socket) => socket.resetAndDestroy())
  const failure = await failureOf(openDoor()(`${origin}/x?code=canary`, { method: 'POST', body: 'canary' }))
  expect(failure.cause).toBeUndefined()
  expect(`${failure.stack} ${JSON.stringify(failure)}`).not.toContain('canary')
})
