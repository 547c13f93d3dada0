import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { startSandbox } from '@authconn/sandbox'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

async function startVault() {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  return startVaultProcess({ AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: database.url })
}

test('with the reader of its log gone, as after Ctrl-C of a pipeline, SIGTERM still ends it with 0', async () => {
  const vault = await startVault()
  // Nothing is logged in between: the stop's own line is the first that meets the broken pipe.
  vault.stopReading()
  const ended = await Promise.race([vault.end('SIGTERM'), sleep(5000, 'it hangs', { ref: false })])
  expect(ended).toBe(0)
})

test('a reader of its log that takes nothing more holds up no request, nor its end', {
  timeout: 60_000,
}, async () => {
  const vault = await startVault()
  const linesOfRequests = () => vault.output().stdout.split('"route":"/v1/connections"').length - 1
  async function request1500Times() {
    for (let batch = 0; batch < 30; batch++) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => vault.call('listConnections')))
      expect(answers.every(({ status }) => status === 200)).toBe(true)
    }
  }
  vault.pauseReading()
  await request1500Times()
  expect(linesOfRequests()).toBeLessThan(1500)
  vault.resumeReading()
  await vi.waitFor(() => expect(linesOfRequests()).toBe(1500), 5000)

  vault.pauseReading()
  await request1500Times()
  expect(await Promise.race([vault.end('SIGTERM'), sleep(10_000, 'it hangs', { ref: false })])).toBe(0)
})

test('while it stops, a request on an open connection gets the problem not_ready, and health stays 200', async () => {
  const vault = await startVault()
  const sandbox = await startSandbox()
  onTestFinished(() => sandbox.stop())
  // Something in flight that holds the stop open: a provider that takes its time over discovery.
  sandbox.faults.set('discovery', { kind: 'slow', delayMs: 2500 })
  const inFlight = vault.call('createConnection', {
    body: { name: 'slow', provider_url: sandbox.issuer, client_id: 'c', client_secret: 's' },
  })
  const host = new URL(vault.url)
  const begin = async (path: string) => {
    const socket = connect(Number(host.port), host.hostname)
    await once(socket, 'connect')
    // The first half of a request: this connection is not idle, so the stop leaves it open.
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n`)
    return { socket, answer: text(socket) }
  }
  const connections = await begin('/v1/connections')
  const health = await begin('/healthz')
  await sleep(300)
  const ended = vault.end('SIGTERM')
  await sleep(500)
  connections.socket.write('\r\n')
  health.socket.write('\r\n')

  const answer = await connections.answer
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(answer).toMatch(/content-type: application\/problem\+json/i)
  expect(answer).toMatch(/retry-after: \d/i)
  expect(answer).toContain('"code":"not_ready"')
  expect(await health.answer).toMatch(/^HTTP\/1\.1 200 /)
  await inFlight
  expect(await ended).toBe(0)
})
