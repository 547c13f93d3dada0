import { execFile } from 'node:child_process'
import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
  request as sendRequest,
} from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { fakeVault, Problem } from '../support/fake-vault.ts'
import { begin } from '../support/run.ts'
import { token } from '../support/samples.ts'
import { startApi } from './support/api.ts'
import { authorized } from './support/authorized.ts'
import { stopChild } from './support/child.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

beforeAll(async () => {
  await authorized(current(), 'google-oauth')
  await current().create('never-authorized')
}, 60_000)

/** The command against the real vault. Resolves once it listens. */
async function startProxy(upstream: string, ...flags: string[]): Promise<string> {
  const child = current().begin(['proxy', 'google-oauth', '--upstream', upstream, '--json', ...flags])
  onTestFinished(() => stopChild(child))
  await expect.poll(() => child.stderr(), { timeout: 10_000 }).toContain('"url"')
  return JSON.parse(child.stderr().split('\n')[0] ?? '').url
}

/** The same in this process, against a vault that gives what the test says. */
async function startWith(upstream: string, getToken: Parameters<typeof fakeVault>[0]['getToken'] = () => token()) {
  const vault = await fakeVault({ getToken })
  const running = begin(['proxy', 'a', '--upstream', upstream, '--json'], { url: vault.url })
  await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain('"url"')
  const url: string = JSON.parse(running.stderr().split('\n')[0] ?? '').url
  return { url, vault, running }
}

/** A request with the headers as they are given, which fetch would not send. */
async function send(url: string, options: RequestOptions = {}, body?: (request: ClientRequest) => void) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = sendRequest(url, { agent: false, ...options }, resolve).on('error', reject)
    if (body) body(request)
    else request.end()
  })
  return { status: answer.statusCode, headers: answer.headers, text: await text(answer) }
}

/** What a client that is no library writes, and all that comes back. */
function sendRaw(host: string, lines: string[]): Promise<string> {
  const { hostname, port } = new URL(`http://${host}`)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write(lines.join('\r\n'))
  return text(socket)
}

describe('with a real vault and provider', () => {
  test('a client that offers HTTP/2 is answered by HTTP/1.1, as Java needs it', async () => {
    const url = await startProxy(current().sandbox.issuer)
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAEAAEAAAAIAAAAB' }
    expect((await send(`${url}/userinfo`, { headers })).status).toBe(200)
  })

  // To be another user takes root, which CI is.
  test.runIf(process.platform === 'linux' && process.getuid?.() === 0)(
    "a program of another user gets nothing of it, and the user's own does",
    async () => {
      const url = await startProxy(current().sandbox.issuer)
      const ask = (uid: number) =>
        promisify(execFile)(
          process.execPath,
          ['-e', `fetch('${url}/userinfo').then(async (r) => console.log(r.status, await r.text()))`],
          { uid, cwd: '/', env: {} },
        )
      expect((await ask(0)).stdout).toMatch(/^200 /)
      const { stdout } = await ask(65_534)
      expect(stdout).toMatch(/^403 /)
      expect(stdout).toContain('This proxy is for programs of the user who started it.')
    },
  )

  test('the token is put into a request, and the program never has it', async () => {
    const url = await startProxy(current().sandbox.issuer)
    const response = await fetch(`${url}/userinfo`)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ sub: expect.any(String) })
  })

  test('a token that the API refuses is replaced by a refresh, and the request sent once more', async () => {
    const { sandbox, vault } = current()
    const refused = `Bearer ${(await vault.getConnectionToken('google-oauth')).access_token}`
    const api = await startApi(({ headers, body }, _, response) =>
      response.writeHead(headers.authorization === refused ? 401 : 200).end(`got ${body}`),
    )
    const url = await startProxy(api.url)
    const refreshes = sandbox.stats.tokenRequests.refresh_token ?? 0
    const response = await fetch(`${url}/path`, { method: 'POST', body: 'hello' })
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'got hello' })
    expect(sandbox.stats.tokenRequests.refresh_token).toBe(refreshes + 1)
    expect(api.calls).toHaveLength(2)
  })

  test('a connection without a token ends the command before it listens', async () => {
    const argv = ['proxy', 'never-authorized', '--upstream', 'https://api.example.com']
    expect(await current().authconn(argv)).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('[grant_pending]'),
    })
  })

  test('it ends by a signal, with exit code 0 and the port free', async () => {
    const child = current().begin(['proxy', 'google-oauth', '--upstream', 'https://api.example.com', '--json'])
    await expect.poll(() => child.stderr(), { timeout: 10_000 }).toContain('"url"')
    const { url } = JSON.parse(child.stderr())
    child.process.kill('SIGTERM')
    expect(await child.ended).toEqual({ exitCode: 0, signal: null })
    await expect(fetch(url)).rejects.toThrow()
  })

  test('it listens on 127.0.0.1 alone', async () => {
    const { port } = new URL(await startProxy('https://api.example.com'))
    const others = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
    const outside = others.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.2'
    const refused = await new Promise((resolve) => {
      connect({ host: outside, port: Number(port) })
        .on('error', () => resolve(true))
        .on('connect', () => resolve(false))
    })
    expect(refused).toBe(true)
  })
})

describe('a request goes to the upstream', () => {
  test('as it is, with its own Host and the token in place of what the program says', async () => {
    const api = await startApi((_, __, response) => response.end('welcome'))
    const { url } = await startWith(`${api.url}/v1/`)
    const headers = {
      'X-Odd': 'a',
      authorization: 'Bearer of-program',
      te: 'trailers',
      'proxy-authorization': 'Basic x',
    }
    const hop = { connection: 'x-hop, keep-alive', 'x-hop': 'b' }
    const answer = await send(
      `${url}/a%2Fb//c?d=e%20f`,
      { method: 'PUT', headers: { ...headers, ...hop } },
      (request) => request.end('hello'),
    )
    expect(answer).toMatchObject({ status: 200, text: 'welcome' })
    const [call] = api.calls
    expect(call).toMatchObject({ method: 'PUT', path: '/v1/a%2Fb//c?d=e%20f', body: 'hello' })
    expect(call?.headers).toMatchObject({
      host: new URL(api.url).host,
      authorization: 'Bearer at-1',
      'x-odd': 'a',
      via: '1.1 authconn-proxy',
    })
    expect(call?.rawHeaders).toContain('X-Odd')
    expect(call?.rawHeaders.filter((name) => name.toLowerCase() === 'authorization')).toHaveLength(1)
    for (const name of ['x-hop', 'te', 'proxy-authorization']) expect(call?.headers).not.toHaveProperty(name)
  })

  test('whatever its method, with a body of unknown length', async () => {
    const api = await startApi(({ body }, __, response) => response.end(body))
    const { url } = await startWith(api.url)
    for (const method of ['DELETE', 'POST', 'GET', 'PATCH']) {
      const chunked = { method, headers: { 'transfer-encoding': 'chunked' } }
      const answer = await send(url, chunked, (request) => {
        request.write('hel')
        request.end('lo')
      })
      expect(answer.text).toBe('hello')
    }
  })

  test.each(['GET', 'DELETE', 'OPTIONS', 'POST'])(
    'framed, so that a body of %s is no second request',
    async (method) => {
      const api = await startApi(({ body }, __, response) => response.end(body))
      const { url } = await startWith(api.url)
      const { host } = new URL(url)
      const body = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
      const ask = (connection: string) =>
        sendRaw(host, [
          `${method} /first HTTP/1.1`,
          `Host: ${host}`,
          `Content-Length: ${body.length}`,
          connection,
          '',
          body,
        ])
      expect(await ask('Connection: content-length, close')).toMatch(/^HTTP\/1.1 400 /)
      expect(await ask('Connection: close')).toContain(body)
      expect(await send(`${url}/second`)).toMatchObject({ status: 200, text: '' })
      expect(api.calls.map(({ path }) => path)).toEqual(['/first', '/second'])
      expect(api.calls[0]?.headers).toMatchObject({ 'content-length': String(body.length) })
    },
  )

  test('with the length 0 where a method has a body and none came', async () => {
    const api = await startApi((_, __, response) => response.end())
    const { url } = await startWith(api.url)
    const { host } = new URL(url)
    for (const method of ['POST', 'GET']) {
      await sendRaw(host, [`${method} / HTTP/1.1`, `Host: ${host}`, 'Connection: close', '', ''])
    }
    const [post, get] = api.calls
    expect(post?.headers).toMatchObject({ 'content-length': '0' })
    for (const call of [post, get]) expect(call?.headers).not.toHaveProperty('transfer-encoding')
    expect(get?.headers).not.toHaveProperty('content-length')
  })

  test('piece by piece, and the answer comes back piece by piece', async () => {
    const pieces: string[] = []
    const streaming = await startStreaming()
    const { url } = await startWith(streaming.url)
    const answer = await new Promise<IncomingMessage>((resolve) => sendRequest(url, resolve).end())
    answer.on('data', (chunk) => pieces.push(String(chunk)))
    await expect.poll(() => pieces).toEqual(['one'])
    await streaming.write('two')
    await expect.poll(() => pieces).toEqual(['one', 'two'])
    const broken = new Promise((_, reject) => answer.on('error', reject))
    await streaming.breakOff()
    await expect(broken).rejects.toThrow('aborted')
  })

  test('and ends there when the program leaves', async () => {
    let gone = false
    const api = await startApi((_, __, response) => {
      response.on('close', () => (gone = true))
      response.write('one')
    })
    const { url } = await startWith(api.url)
    const request = sendRequest(url, (answer) => answer.on('data', () => request.destroy()).on('error', () => {}))
    request.on('error', () => {}).end()
    await expect.poll(() => gone).toBe(true)
  })

  test('a redirect within the upstream stays within the proxy, and another is left to the program', async () => {
    const api = await startApi(({ path }, _, response) => {
      const elsewhere = path === '/v1/a' ? `${api.url}/v1/b?c=d` : 'https://elsewhere.example.com/'
      response.writeHead(302, { location: elsewhere }).end()
    })
    const { url } = await startWith(`${api.url}/v1`)
    expect((await send(`${url}/a`)).headers.location).toBe(`${url}/b?c=d`)
    expect((await send(`${url}/other`)).headers.location).toBe('https://elsewhere.example.com/')
    expect(api.calls).toHaveLength(2)
  })
})

describe('a token that the API refuses', () => {
  const another = ({ query }: { query: Record<string, string> }) =>
    query.rejected_version === '1' ? token({ access_token: 'at-2', version: 2 }) : token()
  const picky = () =>
    startApi(({ headers, body }, _, response) =>
      response.writeHead(headers.authorization === 'Bearer at-1' ? 401 : 200).end(`${body.length}`),
    )

  test.each([
    [0, 200, 2],
    [1024 * 1024, 200, 2],
    [1024 * 1024 + 1, 401, 1],
  ])('is replaced, and a body of %i bytes ends with status %i', async (length, status, calls) => {
    const api = await picky()
    const { url, vault } = await startWith(api.url, another)
    const answer = await send(url, { method: 'POST' }, (request) => request.end(Buffer.alloc(length)))
    expect(answer.status).toBe(status)
    expect(api.calls).toHaveLength(calls)
    expect(vault.requests.at(-1)?.query).toEqual({ rejected_version: '1' })
  })

  test('is refused once more: the program gets that answer', async () => {
    const api = await startApi((_, __, response) => response.writeHead(401).end('no'))
    const { url } = await startWith(api.url, another)
    expect(await send(url)).toMatchObject({ status: 401, text: 'no' })
    expect(api.calls).toHaveLength(2)
  })

  test('when there is no other: the program gets the 401', async () => {
    const api = await picky()
    const { url } = await startWith(api.url, ({ query }) => {
      if (query.rejected_version !== undefined) throw new Problem('grant_not_refreshable', 'no refresh token')
      return token()
    })
    expect((await send(url)).status).toBe(401)
    expect(api.calls).toHaveLength(1)
  })
})

describe('a request is refused, and goes nowhere', () => {
  test.each([
    ['under the name of another host', { headers: { host: 'evil.example.com' } }, 421],
    ['under another port', { headers: { host: '127.0.0.1:1' } }, 421],
    ['of a page', { headers: { origin: 'https://evil.example.com' } }, 403],
    ['of a page without origin', { headers: { origin: 'null' } }, 403],
    ['of a browser', { headers: { 'sec-fetch-site': 'cross-site' } }, 403],
    ['of a browser, by its address bar', { headers: { 'sec-fetch-site': 'none' } }, 403],
    ['for another protocol', { headers: { connection: 'upgrade', upgrade: 'websocket' } }, 501],
    ['for a protocol beside HTTP/2', { headers: { connection: 'upgrade', upgrade: 'h2c, websocket' } }, 501],
    ['of another proxy of this kind', { headers: { via: '1.1 authconn-proxy' } }, 508],
    [
      'that would lose its length',
      { headers: { connection: 'keep-alive, Content-Length', 'content-length': 0 } },
      400,
    ],
    ['that would lose its host', { headers: { connection: 'host' } }, 400],
    ['that would lose the token', { headers: { connection: 'authorization' } }, 400],
    ['that would show the token', { method: 'TRACE' }, 501],
    ['in another coding', { headers: { 'transfer-encoding': 'gzip, chunked' } }, 501],
    ['for a whole URL', { path: 'http://evil.example.com/' }, 400],
    ['that leaves the path', { path: '/../admin' }, 400],
    ['that leaves the path in another spelling', { path: '/a/%2E%2e/admin' }, 400],
    ['that leaves the path by other slashes', { path: '/a/..%2f..\\admin' }, 400],
  ])('%s', async (_, options, status) => {
    const api = await startApi((_, __, response) => response.end('welcome'))
    const { url, vault } = await startWith(`${api.url}/v1`)
    const before = vault.requests.length
    expect((await send(url, options)).status).toBe(status)
    expect(api.calls).toEqual([])
    expect(vault.requests).toHaveLength(before)
  })

  test('to open a tunnel, without an answer', async () => {
    const api = await startApi((_, __, response) => response.end('welcome'))
    const { url } = await startWith(api.url)
    await expect(send(url, { method: 'CONNECT', path: new URL(api.url).host })).rejects.toThrow('socket hang up')
    expect(api.calls).toEqual([])
  })

  test('but it is answered under localhost, too', async () => {
    const api = await startApi((_, __, response) => response.end('welcome'))
    const { url } = await startWith(api.url)
    expect((await send(url, { headers: { host: `localhost:${new URL(url).port}` } })).status).toBe(200)
  })
})

describe('what fails is said to the program in a way it can tell', () => {
  test.each([
    ['grant_expired', 502],
    ['permission_denied', 502],
    ['provider_unavailable', 503],
  ] as const)('%s of the vault is status %i', async (code, status) => {
    let failing = false
    const api = await startApi((_, __, response) => response.end('welcome'))
    const { url } = await startWith(api.url, () => {
      if (failing) throw new Problem(code, 'because')
      return token()
    })
    failing = true
    const answer = await send(url)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text)).toMatchObject({ code, detail: 'because', hint: expect.any(String) })
    expect(api.calls).toEqual([])
  })

  test('an upstream that is not there', async () => {
    const { url } = await startWith('http://127.0.0.1:1')
    const answer = await send(url)
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.text).detail).toBe('http://127.0.0.1:1: ECONNREFUSED')
    expect(answer.text).not.toContain('at-1')
  })
})

test.each([
  [[], 'Give --upstream URL'],
  [['--upstream', 'api.example.com'], 'not a URL'],
  [['--upstream', 'http://api.example.com'], 'https URLs only'],
  [['--upstream', 'http://localhost.example.com'], 'https URLs only'],
  [['--upstream', 'ftp://127.0.0.1'], 'https URLs only'],
  [['--upstream', 'https://a:b@api.example.com'], 'must not hold'],
  [['--upstream', 'https://api.example.com/?a=b'], 'must not hold'],
  [['--upstream', 'https://api.example.com', '--port', '65536'], '--port takes'],
])('proxy with %j is not right', async (flags, words) => {
  const running = begin(['proxy', 'a', ...flags])
  expect(await running.exitCode).toBe(2)
  expect(running.stderr()).toContain(words)
})

test('a port that is taken is said to be', async () => {
  const { url, vault } = await startWith('http://127.0.0.1:1')
  const flags = ['--upstream', 'http://127.0.0.1:1', '--port', new URL(url).port]
  const running = begin(['proxy', 'a', ...flags], { url: vault.url })
  expect(await running.exitCode).toBe(5)
  expect(running.stderr()).toContain('[port_taken]')
  expect(running.stderr()).not.toContain('callback')
})

/** An API whose answer the test goes on with. */
async function startStreaming() {
  const begun = Promise.withResolvers<ServerResponse>()
  const { url } = await startApi((_, __, response) => {
    response.write('one')
    begun.resolve(response)
  })
  return {
    url,
    write: async (words: string) => (await begun.promise).write(words),
    breakOff: async () => (await begun.promise).destroy(),
  }
}
