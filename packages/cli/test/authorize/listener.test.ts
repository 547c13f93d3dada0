import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ListenOptions, listenForCallback } from '../../src/authorize/listen-for-callback.ts'
import { httpGet } from '../support/http-get.ts'

const page = { status: 200, title: 'Authorized', paragraphs: ['done'] }

async function listening(options: Partial<ListenOptions> = {}) {
  const listener = await listenForCallback({ host: '127.0.0.1', port: 0, ...options })
  onTestFinished(() => listener.close())
  const { origin } = new URL(listener.redirectUri)
  const arrived: string[] = []
  const callback = listener.expect('st-4te')
  callback.then((url) => arrived.push(url))
  return { listener, origin, callback, arrived }
}

const genuine = '/callback?state=st-4te&code=c0de'

describe('the genuine callback', () => {
  test('is handed over whole, and the browser waits for the page of the end', async () => {
    const { listener, origin, callback } = await listening()
    const browser = httpGet(origin, `${genuine}&iss=https%3A%2F%2Fid.example`)
    expect(await callback).toBe(`${origin}${genuine}&iss=https%3A%2F%2Fid.example`)
    await listener.answer(page)
    expect(await browser).toMatchObject({ status: 200, body: expect.stringContaining('Authorized') })
  })

  test('may carry an error of the provider instead of a code', async () => {
    const { origin, callback } = await listening()
    httpGet(origin, '/callback?state=st-4te&error=access_denied').catch(() => {})
    expect(await callback).toContain('error=access_denied')
  })

  test('counts once: a second one waits for the same end and sees the same page', async () => {
    const { listener, origin, callback } = await listening()
    const first = httpGet(origin, genuine)
    await callback
    const second = httpGet(origin, '/callback?state=st-4te&code=another')
    const early = await Promise.race([second.then(() => 'answered'), setTimeout(50, 'waiting')])
    expect(early).toBe('waiting')
    await listener.answer(page)
    expect(await callback).toContain('code=c0de')
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    expect((await httpGet(origin, genuine)).body).toContain('Authorized')
  })
})

describe('what does not end the wait', () => {
  test.each([
    ['another path', '/favicon.ico', {}, 404],
    ['the root', '/', {}, 404],
    ['a path that resolves to the right one', '/x/../callback?state=st-4te&code=c', {}, 404],
    ['a path that a parser takes for a host', '//evil.example/callback?state=st-4te&code=c', {}, 404],
    ['an absolute request target', 'http://evil.example/callback?state=st-4te&code=c', {}, 404],
    ['HEAD', genuine, { method: 'HEAD' }, 405],
    ['POST', genuine, { method: 'POST' }, 405],
    ['OPTIONS', genuine, { method: 'OPTIONS' }, 405],
    ['another host', genuine, { headers: { Host: 'evil.example' } }, 421],
    ['the right host with another port', genuine, { headers: { Host: '127.0.0.1:1' } }, 421],
    ['another name of this machine', genuine, { headers: { Host: 'localhost' } }, 421],
    ['a prefetch', genuine, { headers: { 'Sec-Purpose': 'prefetch;prerender' } }, 503],
    ['an old prefetch', genuine, { headers: { 'X-Moz': 'prefetch' } }, 503],
    ['no state', '/callback?code=c', {}, 400],
    ['a wrong state', '/callback?state=wrong&code=c', {}, 400],
    ['a state that begins right', '/callback?state=st-4te-&code=c', {}, 400],
    ['two states', '/callback?state=st-4te&state=st-4te&code=c', {}, 400],
    ['neither a code nor an error', '/callback?state=st-4te', {}, 400],
    ['nothing', '/callback', {}, 400],
    ['more than a redirected URL can be', `/callback?state=st-4te&code=${'c'.repeat(17_000)}`, {}, 400],
    ['headers without bounds', genuine, { headers: { Cookie: 'c'.repeat(70_000) } }, 431],
  ])('%s', async (_, path, options, status) => {
    const { listener, origin, callback, arrived } = await listening()
    expect((await httpGet(origin, path, options)).status).toBe(status)
    expect(arrived).toEqual([])

    const browser = httpGet(origin, genuine)
    await callback
    await listener.answer(page)
    expect((await browser).status).toBe(200)
  })

  test('a request without Host, or with two', async () => {
    const { origin, arrived } = await listening()
    const { host } = new URL(origin)
    const none = await raw(origin, `GET ${genuine} HTTP/1.0\r\n\r\n`)
    const two = await raw(origin, `GET ${genuine} HTTP/1.1\r\nHost: ${host}\r\nHost: ${host}\r\n\r\n`)
    expect([none, two].map((answer) => answer.split(' ')[1])).toEqual(['421', expect.stringMatching(/^4(00|21)$/)])
    expect(arrived).toEqual([])
  })

  test('a callback before the vault has begun an authorization', async () => {
    const listener = await listenForCallback({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => listener.close())
    expect((await httpGet(new URL(listener.redirectUri).origin, genuine)).status).toBe(503)
  })
})

describe('a slow client', () => {
  test('is cut off, and ends nothing', async () => {
    const { origin, callback, arrived, listener } = await listening({ slowest: 100 })
    const began = Date.now()
    const answer = await raw(origin, 'GET /callback?sta', { end: false })
    expect(answer === '' || answer.includes('408')).toBe(true)
    expect(Date.now() - began).toBeLessThan(5000)
    expect(arrived).toEqual([])
    const browser = httpGet(origin, genuine)
    await callback
    await listener.answer(page)
    expect((await browser).status).toBe(200)
  })

  test('that does not read its page does not hold up the end', async () => {
    const { origin, callback, listener } = await listening()
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname).pause()
    onTestFinished(() => void socket.destroy())
    socket.write(`GET ${genuine} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
    await callback
    const began = Date.now()
    await listener.answer({ ...page, paragraphs: ['x'.repeat(20_000_000)] })
    await listener.close()
    expect(Date.now() - began).toBeLessThan(6000)
  })

  test('that hangs up during the exchange is forgotten', async () => {
    const { origin, callback, listener } = await listening()
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname)
    socket.write(`GET ${genuine} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`)
    await callback
    socket.destroy()
    await listener.answer(page)
  })
})

describe('the page', () => {
  test('is protected: policy with the hash of its style, no store, no sniffing, no referrer, no frame', async () => {
    const { listener, origin, callback } = await listening()
    const browser = httpGet(origin, genuine)
    await callback
    await listener.answer(page)
    const { headers, body } = await browser
    const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'content-type': 'text/html; charset=utf-8',
    })
  })

  test('of a refusal is protected too, and says which method is allowed', async () => {
    const { origin } = await listening()
    const { headers } = await httpGet(origin, genuine, { method: 'POST' })
    expect(headers).toMatchObject({ allow: 'GET', 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  })

  test('shows text from elsewhere as text', async () => {
    const { listener, origin, callback } = await listening()
    const browser = httpGet(origin, genuine)
    await callback
    await listener.answer({
      status: 400,
      title: '<img src=x>',
      paragraphs: ['"quoted" & \'so\' </p><script>1</script>'],
    })
    const { body, status } = await browser
    expect(status).toBe(400)
    expect(body).not.toMatch(/<script|<img/)
    expect(body).toContain('&#60;script&#62;')
    expect(body).toContain('&#34;quoted&#34; &#38; &#39;so&#39;')
  })
})

/** Sends bytes as they are. Resolves to all that comes back until the other side closes. */
function raw(origin: string, bytes: string, { end = true } = {}): Promise<string> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => {
      if (end) socket.end(bytes)
      else socket.write(bytes)
    })
    socket.on('data', (chunk) => (answer += String(chunk)))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(answer))
  })
}
