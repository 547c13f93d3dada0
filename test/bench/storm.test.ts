import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openStorm, type StormPlan } from '../../bench/support/storm.ts'

/** A server of which `/healthz` is up, and the sockets that were opened to it. */
async function serve(listener: RequestListener) {
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    if (request.url === '/healthz') send(response, { status: 'ok' })
    else listener(request, response)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, sockets }
}

function send(response: ServerResponse, body: unknown, status = 200): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length }).end(bytes)
}

async function open(plan: StormPlan) {
  const storm = await openStorm(plan)
  onTestFinished(storm.close)
  return storm
}

test('has all requests under way before the first answer, over the connections it opened before', async () => {
  const held: ServerResponse[] = []
  const server = await serve((_request, response) => {
    held.push(response)
    if (held.length === 250) for (const each of held) send(each, { n: 1 })
  })
  const storm = await open({ baseUrls: [server.url], connections: 250 })
  for (let round = 1; round <= 2; round++) {
    held.length = 0
    const { answers } = await storm.send({ path: '/' })
    expect(answers.map(({ status }) => status)).toEqual(Array(250).fill(200))
  }
  expect(server.sockets.size).toBe(250)
})

test('goes to each server in turn, and gives what became of each request in that order', async () => {
  const names = ['a', 'b', 'c']
  const servers = await Promise.all(
    names.map((name) =>
      serve((request, response) =>
        send(response, { name, url: request.url, key: request.headers.authorization }, name === 'b' ? 503 : 200),
      ),
    ),
  )
  const storm = await open({ baseUrls: servers.map(({ url }) => url), connections: 5 })
  const { answers } = await storm.send({ path: (n) => `/${n}?é`, apiKey: 'key' })
  expect(answers.map(({ status, body }) => ({ status, body }))).toEqual(
    [0, 1, 2, 3, 4].map((n) => ({
      status: n % 3 === 1 ? 503 : 200,
      body: { name: names[n % 3], url: `/${n}?%C3%A9`, key: 'Bearer key' },
    })),
  )
})

test('puts an answer together that comes in pieces', async () => {
  const { url } = await serve((_request, response) => {
    const bytes = Buffer.from(JSON.stringify({ text: 'é'.repeat(50_000) }))
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 10))
    // Within an é.
    setTimeout(() => response.end(bytes.subarray(10)), 50)
  })
  const { answers } = await (await open({ baseUrls: [url], connections: 3 })).send({ path: '/' })
  for (const answer of answers) {
    expect(answer.body).toEqual({ text: 'é'.repeat(50_000) })
    expect(answer.ms).toBeGreaterThan(45)
  }
})

test('says which requests had no answer, because of the deadline or since the connection broke', async () => {
  const { url } = await serve((request, response) => {
    if (request.url === '/0') send(response, 'in time')
    if (request.url === '/1') request.socket.destroy()
  })
  const storm = await open({ baseUrls: [url], connections: 3, deadlineMs: 300 })
  const { answers } = await storm.send({ path: (n) => `/${n}` })
  expect(answers).toMatchObject([
    { status: 200, body: 'in time' },
    { status: 0, failure: 'the connection was closed' },
    { status: 0, failure: 'no answer in 300 ms' },
  ])
  expect(answers[2]?.ms).toBeLessThan(2000)
  const again = await storm.send({ path: '/0' })
  expect(again.answers.map(({ status }) => status)).toEqual([0, 0, 0])
})

test('does not begin unless every connection answers', async () => {
  const server = await serve((_request, response) => send(response, 'not ready', 503))
  await expect(openStorm({ baseUrls: [server.url], connections: 3, warmUpPath: '/readyz' })).rejects.toThrow(
    '/readyz was answered with 503',
  )
  await expect(openStorm({ baseUrls: ['http://127.0.0.1:1'], connections: 1 })).rejects.toThrow('ECONNREFUSED')
})

test.each([
  'http://example.com',
  'http://localhost:1',
  'http://10.0.0.1',
  'http://127.0.0.1.example.com',
  'https://127.0.0.1',
  'http://0.0.0.0',
])('refuses to go to %s', async (url) => {
  await expect(openStorm({ baseUrls: [url], connections: 1 })).rejects.toThrow('loopback address')
})
