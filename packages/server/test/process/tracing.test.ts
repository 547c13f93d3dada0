import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { browse, startSandbox } from '@authconn/sandbox'
import { describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { type ReceivedSpan, startCollector } from '../support/collector.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

/** A vault on a database of its own. */
async function startVault(given: Record<string, string>) {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  return startVaultProcess({ AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: database.url, ...given })
}

async function startTracedVault(given: Record<string, string> = {}) {
  const collector = await startCollector()
  onTestFinished(collector.stop)
  return { collector, vault: await startVault({ AUTHCONN_OTLP_ENDPOINT: collector.url, ...given }) }
}

type Vault = Awaited<ReturnType<typeof startVaultProcess>>

/** A connection with a grant, whose token endpoint notes the headers that the vault sends. */
async function createGrant(vault: Vault) {
  const sandbox = await startSandbox()
  onTestFinished(sandbox.stop)
  const seen: Record<string, unknown>[] = []
  const door = createServer(async (request, response) => {
    seen.push(request.headers)
    const { authorization = '', 'content-type': type = '' } = request.headers
    const body: Buffer[] = []
    for await (const chunk of request) body.push(chunk)
    const answer = await fetch(`${sandbox.issuer}/token`, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: Buffer.concat(body),
    })
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void door.close())
  await vi.waitFor(() => expect(door.address()).not.toBeNull())
  const address = door.address()
  const port = typeof address === 'object' ? address?.port : ''
  const created = await vault.call('createConnection', {
    body: {
      name: 'canary-name',
      provider_url: sandbox.issuer,
      issuer_url: sandbox.issuer,
      ...sandbox.client,
      authorization_endpoint: `${sandbox.issuer}/authorize`,
      token_endpoint: `http://127.0.0.1:${port}/token`,
      jwks_uri: `${sandbox.issuer}/jwks`,
    },
  })
  expect(created.status).toBe(201)
  const started = await vault.call('startAuthorization', {
    params: { name: 'canary-name' },
    body: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback', subject: 'canary-subject' },
  })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const completed = await vault.call('completeAuthorization', {
    params: { id: started.body.id },
    body: { redirected_url: redirectedUrl },
  })
  expect(completed.status).toBe(200)
  return { seen }
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'

describe('a request that brings a trace along', () => {
  test('is a part of it, with what it took, and hands it on to nobody', async () => {
    const { vault, collector } = await startTracedVault()
    const { seen } = await createGrant(vault)
    const url = `${vault.url}/v1/connections/canary-name/token?force_refresh=true&subject=canary-subject`
    const answer = await fetch(url, {
      headers: {
        authorization: `Bearer ${vault.credentials().api_key}`,
        traceparent: `00-${traceId}-${parentId}-01`,
        tracestate: 'vendor=canary-state',
        'x-request-id': 'request-of-the-caller',
      },
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-request-id')).toBe('request-of-the-caller')
    expect([...answer.headers.keys()].filter((name) => /trace/.test(name))).toEqual([])
    expect(await vault.end('SIGTERM')).toBe(0)

    const spans = collector.spans().filter((span) => span.traceId === traceId)
    const one = (name: string): ReceivedSpan => {
      const found = spans.filter((span) => span.name === name)
      expect(found, name).toHaveLength(1)
      return found[0] as ReceivedSpan
    }
    const request = one('getToken')
    expect(request).toMatchObject({ kind: 2, parentSpanId: parentId })
    expect(request.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/v1/connections/:name/token',
      'http.response.status_code': 200,
      'authconn.request_id': 'request-of-the-caller',
    })
    expect(one('token lookup').parentSpanId).toBe(request.spanId)
    const call = one('provider call')
    expect(call.kind).toBe(3)
    expect(call.attributes).toEqual({
      'http.request.method': 'POST',
      'server.address': '127.0.0.1',
      'http.response.status_code': 200,
    })

    // Its lines in the log can be found by the trace.
    const lines = vault
      .output()
      .stdout.split('\n')
      .filter((line) => line.includes(traceId))
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ msg: 'request', trace_id: traceId, request_id: 'request-of-the-caller' }),
    )

    expect(seen.length).toBeGreaterThan(1)
    for (const headers of seen) {
      expect(Object.keys(headers).filter((name) => /trace|baggage/.test(name))).toEqual([])
    }
    expect(collector.received().toString()).not.toMatch(/canary-(name|subject)/)
  })

  test('is not recorded when the trace is not, and is recorded whatever share of others is', async () => {
    const { vault, collector } = await startTracedVault({ AUTHCONN_TRACE_PERCENT: '0' })
    const ask = (traceparent?: string) =>
      fetch(`${vault.url}/docs`, { headers: traceparent ? { traceparent } : {} })
    await ask()
    await ask(`00-${traceId}-${parentId}-00`)
    await ask('00-nonsense-01')
    await ask(`00-${traceId.replaceAll('4', '5')}-${parentId}-01`)
    expect(await vault.end('SIGTERM')).toBe(0)
    expect(collector.spans().map((span) => span.traceId)).toEqual([traceId.replaceAll('4', '5')])
  })
})

test('probes begin no trace, and are part of one that they bring along', async () => {
  const { vault, collector } = await startTracedVault()
  await fetch(`${vault.url}/healthz`)
  await fetch(`${vault.url}/readyz`)
  await fetch(`${vault.url}/readyz`, { headers: { traceparent: `00-${traceId}-${parentId}-01` } })
  expect(await vault.end('SIGTERM')).toBe(0)
  expect(collector.spans().map(({ name }) => name)).toEqual(['getReadiness'])
})

test('what fails is marked with its code, and says no words of anybody', async () => {
  const { vault, collector } = await startTracedVault({
    OTEL_SERVICE_NAME: 'vault-of-this-test',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=tenant-of-this-test',
    // Never in place of the vault's own setting.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
  })
  await vault.call('getConnection', { params: { name: 'canary-missing' } })
  await fetch(`${vault.url}/canary-path?token=canary-query`, { headers: { 'x-canary': 'canary-header' } })
  await vault.call('createConnection', {
    body: { name: 'x', provider_url: 'http://127.0.0.1:1/canary', client_id: 'c', client_secret: 'canary-secret' },
  })
  expect(await vault.end('SIGTERM')).toBe(0)
  const spans = collector.spans()
  expect(spans.find(({ name }) => name === 'getConnection')?.attributes).toMatchObject({
    'error.type': 'connection_not_found',
    'http.response.status_code': 404,
  })
  expect(spans.find(({ name }) => name === 'none')?.attributes).toMatchObject({ 'http.route': 'none' })
  expect(spans.find(({ name }) => name === 'provider call')).toMatchObject({
    status: 2,
    attributes: { 'server.address': '127.0.0.1', 'error.type': 'passing' },
  })
  const text = collector.received().toString()
  expect(text).toMatch(/"service\.name","value":\{"stringValue":"vault-of-this-test"/)
  expect(text).toContain('"x-tenant":"tenant-of-this-test"')
  expect(text).not.toContain('canary')
})

test('a collector that is not there takes nothing away from callers, and is said once', async () => {
  const { vault, collector } = await startTracedVault()
  collector.refuse(400)
  for (let at = 0; at < 3; at++) {
    expect((await vault.call('listConnections')).status).toBe(200)
    await sleep(2100)
  }
  expect(vault.output().stdout.match(/traces do not reach the collector/g)).toHaveLength(1)
  collector.refuse(0)
  await vault.call('listConnections')
  await vi.waitFor(() => expect(vault.output().stdout).toMatch(/traces reach the collector again/), 5000)
  collector.stop()
  await vault.call('listConnections')
  const before = performance.now()
  expect(await vault.end('SIGTERM')).toBe(0)
  expect(performance.now() - before).toBeLessThan(8000)
})

describe('nothing of OpenTelemetry is loaded', () => {
  async function loadedPackages(given: Record<string, string>): Promise<Set<string>> {
    const recorded = join(temporaryDirectory(), 'modules')
    const vault = await startVault({
      NODE_OPTIONS: `--import=${new URL('../support/record-modules.ts', import.meta.url).href}`,
      RECORDED_MODULES: recorded,
      ...given,
    })
    const headers = { authorization: `Bearer ${vault.credentials().api_key}` }
    expect((await fetch(`${vault.url}/metrics`, { headers })).status).toBe(200)
    expect(await vault.end('SIGTERM')).toBe(0)
    return new Set(existsSync(recorded) ? readFileSync(recorded, 'utf8').split('\n').filter(Boolean) : [])
  }

  test('unless a collector is named, but for what the metrics bring', async () => {
    const loaded = await loadedPackages({})
    // That the list has anything to say.
    expect(loaded).toContain('fastify')
    expect([...loaded].filter((name) => name.startsWith('@opentelemetry/'))).toEqual(['@opentelemetry/api'])
    expect(loaded).not.toContain('ioredis')
  })

  test('and all of it is when one is', async () => {
    const collector = await startCollector()
    onTestFinished(collector.stop)
    const loaded = await loadedPackages({ AUTHCONN_OTLP_ENDPOINT: collector.url })
    expect(loaded).toContain('@opentelemetry/sdk-trace')
  })
})
