import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer, getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { shareCounts } from '../../src/adapters/redis/share-counts.ts'
import { createWindowCounter } from '../../src/core/limits/window-counter.ts'
import { Secret } from '../../src/core/secret.ts'
import { authority, serverCertificate } from '../support/certificates.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import type { KeptServer } from '../support/start-kept-server.ts'

let redis: KeptServer | undefined

beforeAll(async () => {
  if (findRedis() !== undefined) redis = await startRedis()
})
afterAll(() => redis?.stop())
beforeEach((context) => context.skip(findRedis() === undefined, 'Redis is not installed'))

/** Redis behind TLS, what came to it, and how many would not have its certificate. */
async function startTls() {
  const to = new URL(redis?.url ?? '')
  const arrived: Buffer[] = []
  const server = createServer(serverCertificate, (client) => {
    const plain = connect(Number(to.port), to.hostname)
    client.on('data', (bytes: Buffer) => arrived.push(bytes))
    client.pipe(plain).pipe(client)
    for (const [one, other] of [
      [client, plain],
      [plain, client],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  let refusals = 0
  server.on('tlsClientError', () => refusals++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const url = new URL(to)
  url.protocol = 'rediss:'
  url.port = typeof address === 'object' ? String(address?.port) : ''
  return { url: url.href, arrived, refusals: () => refusals }
}

/** What a process trusts whose NODE_EXTRA_CA_CERTS names a file with the authority. */
function trustAuthority(): void {
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority])
  onTestFinished(() => setDefaultCACertificates(before))
}

function startProcess(url: string) {
  const lines: string[] = []
  const note = (values: Record<string, unknown>, message: string) => {
    lines.push([message, values.error instanceof Error ? values.error.message : ''].join(': '))
  }
  const counter = createWindowCounter({ windowMs: 600_000, isShared: true })
  const { stop } = shareCounts({
    url: new Secret(url),
    counters: { tls: counter },
    log: { info: note, warn: note, error: note },
  })
  onTestFinished(stop)
  return { count: () => counter.add('key', Date.now()).count, lines }
}

const until = (expectation: () => void) => vi.waitFor(expectation, { timeout: 10_000, interval: 50 })

test('processes count together by TLS, where the authority of its certificate is trusted', async () => {
  trustAuthority()
  const { url } = await startTls()
  const [one, other] = [startProcess(url), startProcess(url)]
  // More than the other comes to by itself.
  for (let at = 0; at < 1000; at++) one.count()
  await until(() => expect(other.count()).toBeGreaterThan(1000))
})

test('a certificate that nobody trusts gets neither the password nor a count, and is told of', async () => {
  const { url, arrived, refusals } = await startTls()
  const one = startProcess(url)
  await until(() => expect(refusals()).toBeGreaterThan(0))
  await until(() => {
    one.count()
    expect(one.lines).toHaveLength(1)
  })
  expect(one.lines[0]).toMatch(/Redis does not answer: each process limits by itself: .*certificate/)
  expect(Buffer.concat(arrived).toString()).toBe('')
})
