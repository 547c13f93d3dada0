import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { AuthconnError } from '@authconn/sdk'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RedirectHost } from '../../src/authorize/bind-loopback.ts'
import { listenForCallback, redirectUriOf } from '../../src/authorize/listen-for-callback.ts'
import { httpGet } from '../support/http-get.ts'

const interfaces = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
const hasIpv6 = interfaces.some(({ address }) => address === '::1')
const outside = interfaces.flatMap(({ address, family, internal }) =>
  family === 'IPv4' && !internal ? [address] : [],
)

async function listening(host: RedirectHost, port = 0) {
  const listener = await listenForCallback({ host, port })
  onTestFinished(() => listener.close())
  return { listener, port: Number(new URL(listener.redirectUri).port) }
}

async function occupied(address: string): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port')
  return bound.port
}

async function failure(work: Promise<unknown>): Promise<AuthconnError> {
  const error = await work.then(
    () => new Error('it listened'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof AuthconnError) return error
  throw error
}

describe('the redirect URI', () => {
  test.each(['127.0.0.1', 'localhost'] as const)('has the host %s and the bound port', async (host) => {
    const { listener, port } = await listening(host)
    expect(port).toBeGreaterThan(0)
    expect(listener.redirectUri).toBe(`http://${host}:${port}/callback`)
  })

  test.each([
    ['127.0.0.1', 80, 'http://127.0.0.1/callback'],
    ['localhost', 80, 'http://localhost/callback'],
    ['::1', 80, 'http://[::1]/callback'],
    ['::1', 8080, 'http://[::1]:8080/callback'],
  ] as const)('of %s and port %i is spelled as the vault demands: %s', (host, port, uri) => {
    expect(redirectUriOf(host, port)).toBe(uri)
  })

  test.skipIf(!hasIpv6)('has ::1 in brackets', async () => {
    const { listener, port } = await listening('::1')
    expect(listener.redirectUri).toBe(`http://[::1]:${port}/callback`)
    expect((await httpGet(`http://[::1]:${port}`, '/')).status).toBe(404)
  })
})

describe('the addresses listened on', () => {
  test.skipIf(outside.length === 0)('are loopback only', async () => {
    const { port } = await listening('localhost')
    const others = Object.values(networkInterfaces()).flatMap(
      (all) => all?.filter(({ internal }) => !internal) ?? [],
    )
    expect(others.length).toBeGreaterThan(0)
    for (const { address, family, scopeid } of others) {
      const host = family === 'IPv6' ? `[${address}]` : address
      if (scopeid) continue
      await expect(httpGet(`http://${host}:${port}`, '/')).rejects.toThrow(/ECONNREFUSED/)
    }
  })

  test.skipIf(!hasIpv6)('are both of them for localhost, and not ::1 for 127.0.0.1', async () => {
    const both = await listening('localhost')
    expect((await httpGet(`http://127.0.0.1:${both.port}`, '/')).status).toBe(421)
    expect((await httpGet(`http://[::1]:${both.port}`, '/')).status).toBe(421)
    const one = await listening('127.0.0.1')
    await expect(httpGet(`http://[::1]:${one.port}`, '/')).rejects.toThrow(/ECONNREFUSED/)
  })

  test('answer for the name localhost', async () => {
    const { port } = await listening('localhost')
    const answer = await httpGet(`http://127.0.0.1:${port}`, '/', { headers: { Host: `LocalHost:${port}` } })
    expect(answer.status).toBe(404)
  })
})

describe('a port that another program has', () => {
  test('is named, with what to do', async () => {
    const port = await occupied('127.0.0.1')
    const error = await failure(listenForCallback({ host: '127.0.0.1', port }))
    expect(error).toMatchObject({ code: 'port_taken', hint: expect.stringContaining('--port') })
    expect(error.detail).toContain(String(port))
  })

  test.skipIf(!hasIpv6)('on one of the addresses of localhost is enough, and the other is freed', async () => {
    const port = await occupied('::1')
    expect((await failure(listenForCallback({ host: 'localhost', port }))).code).toBe('port_taken')
    await listening('127.0.0.1', port)
  })
})

test('is free again after close, also with a browser still connected', async () => {
  const { listener, port } = await listening('127.0.0.1')
  listener.expect('s')
  const browser = httpGet(`http://127.0.0.1:${port}`, '/callback?state=s&code=c')
  browser.catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 50))
  await listener.close()
  await expect(browser).rejects.toThrow()
  await listening('127.0.0.1', port)
})

test.skipIf(!hasIpv6)('frees both addresses of localhost', async () => {
  const listener = await listenForCallback({ host: 'localhost', port: 0 })
  await listener.close()
  const { origin, port } = new URL(listener.redirectUri.replace('localhost', '[::1]'))
  await expect(httpGet(origin, '/')).rejects.toThrow(/ECONNREFUSED/)
  await listening('localhost', Number(port))
})
