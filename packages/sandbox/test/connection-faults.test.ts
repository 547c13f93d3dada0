import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { answerKinds } from '../src/faults/kinds/answer.ts'
import { connectionKinds } from '../src/faults/kinds/connection.ts'
import { endpoints, type Sandbox, startSandbox } from '../src/index.ts'
import { readError, readTokens, type TokenAnswer } from './support/client.ts'
import { createFaultyClient } from './support/faulty-client.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createFaultyClient>
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  client = createFaultyClient(sandbox)
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

type Name = keyof typeof connectionKinds | keyof typeof answerKinds
const names = Object.keys({ ...connectionKinds, ...answerKinds }) as Name[]

const cases: Record<Name, () => Promise<void>> = {
  async slow() {
    const start = performance.now()
    const { answer } = await client.refreshUnder({ kind: 'slow', delayMs: 150 })
    expect(answer.status).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(145)
  },
  async hang() {
    const tokens = await client.signIn()
    sandbox.faults.set('token', { kind: 'hang' }, { times: 1 })
    await expect(client.refresh(tokens.refresh_token, AbortSignal.timeout(100))).rejects.toThrow('timeout')
    await sleep(50)
    sandbox.faults.clear()
    expect(await client.isUsedUp(tokens)).toBe(false)
  },
  async reset() {
    const tokens = await client.signIn()
    sandbox.faults.set('token', { kind: 'reset' }, { times: 1 })
    await expect(client.refresh(tokens.refresh_token)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(await client.isUsedUp(tokens)).toBe(false)
  },
  async reset_after() {
    const tokens = await client.signIn()
    sandbox.faults.set('token', { kind: 'reset_after' }, { times: 1 })
    await expect(client.refresh(tokens.refresh_token)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(await client.isUsedUp(tokens)).toBe(true)
  },
  async huge() {
    const limit = new AbortController()
    const { answer } = await client.refreshUnder({ kind: 'huge' }, limit.signal)
    let received = 0
    await expect(
      (async () => {
        for await (const chunk of answer.body ?? []) {
          received += chunk.length
          if (received > 3_000_000) limit.abort()
        }
      })(),
    ).rejects.toThrow('abort')
    expect(received).toBeGreaterThan(3_000_000)
    const { answer: bounded } = await client.refreshUnder({ kind: 'huge', bytes: 100_000 })
    expect(((await bounded.json()) as TokenAnswer).access_token.length).toBeGreaterThan(100_000)
  },
  async bomb() {
    const { answer } = await client.refreshUnder({ kind: 'bomb', bytes: 5_000_000 })
    expect(answer.headers.get('content-encoding')).toBe('gzip')
    expect((await answer.text()).length).toBeGreaterThan(5_000_000)
  },
  async status() {
    const headers = { 'retry-after': '2' }
    const { before, answer } = await client.refreshUnder({ kind: 'status', status: 429, headers })
    expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([429, '2', ''])
    expect(answer.headers.get('content-type')).toBe(null)
    expect(await client.isUsedUp(before)).toBe(false)
    const body = '<h1>Bad gateway</h1>'
    const { answer: page } = await client.refreshUnder({
      kind: 'status',
      status: 502,
      body,
      contentType: 'text/html',
    })
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([502, 'text/html', body])
  },
  async oauth_error() {
    const { before, answer } = await client.refreshUnder({ kind: 'oauth_error' })
    expect(await readError(answer)).toEqual({ status: 400, error: 'invalid_grant' })
    expect(await client.isUsedUp(before)).toBe(false)
    const { answer: client401 } = await client.refreshUnder({ kind: 'oauth_error', error: 'invalid_client' })
    expect(await readError(client401)).toEqual({ status: 401, error: 'invalid_client' })
    const { answer: later } = await client.refreshUnder({ kind: 'oauth_error', error: 'temporarily_unavailable' })
    expect(await readError(later)).toEqual({ status: 503, error: 'temporarily_unavailable' })
    const { answer: own } = await client.refreshUnder({ kind: 'oauth_error', error: 'made_up', status: 403 })
    expect(await readError(own)).toEqual({ status: 403, error: 'made_up' })
  },
  async error_in_200() {
    expect(await client.tokensUnder('error_in_200')).toEqual({ error: 'invalid_grant' })
  },
  async html() {
    const { answer } = await client.refreshUnder({ kind: 'html' })
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(await answer.text()).toContain('<!doctype html>')
  },
  async redirect() {
    const { answer } = await client.refreshUnder({ kind: 'redirect' })
    expect(answer.status).toBe(302)
    const location = answer.headers.get('location') ?? ''
    await fetch(location)
    expect(sandbox.stats.redirectsFollowed).toBe(1)
    const { answer: own } = await client.refreshUnder({
      kind: 'redirect',
      location: 'https://elsewhere.example/',
      status: 307,
    })
    expect([own.status, own.headers.get('location')]).toEqual([307, 'https://elsewhere.example/'])
  },
  async truncated_json() {
    const { before, answer } = await client.refreshUnder({ kind: 'truncated_json' })
    const body = await answer.text()
    expect(body.startsWith('{"access_token"')).toBe(true)
    expect(() => JSON.parse(body)).toThrow()
    expect(await client.isUsedUp(before)).toBe(true)
  },
  async edit_json() {
    const set = { issuer: 'https://other.example' }
    sandbox.faults.set('discovery', { kind: 'edit_json', set, remove: ['revocation_endpoint'] })
    const metadata = await (await fetch(`${sandbox.issuer}${endpoints.discovery}`)).json()
    expect(metadata).toMatchObject({ ...set, token_endpoint: `${sandbox.issuer}/token` })
    expect(metadata).not.toHaveProperty('revocation_endpoint')
  },
}

test.each(names)('%s, once', async (kind) => {
  await cases[kind]()
  sandbox.faults.clear()
  await readTokens(await client.refresh((await client.signIn('openid')).refresh_token))
})
