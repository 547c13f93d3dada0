import { afterAll, beforeAll, expect, test } from 'vitest'
import { faultKindNames, type Sandbox, startSandbox } from '../src/index.ts'
import { createSwitchClient } from './support/switches.ts'

let sandbox: Sandbox
let call: ReturnType<typeof createSwitchClient>
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  call = createSwitchClient(sandbox)
})
afterAll(() => sandbox.stop())

test('faults are set, listed and cleared over HTTP', async () => {
  const fault = { endpoint: 'token', kind: 'status', status: 503, times: 2 }
  expect(await call('POST', 'faults', fault)).toEqual({ status: 200, body: { faults: [fault] } })
  await call('POST', 'faults', { endpoint: 'jwks', kind: 'hang' })
  expect((await call('GET', 'faults')).body.faults).toEqual([fault, { endpoint: 'jwks', kind: 'hang' }])
  expect((await fetch(`${sandbox.issuer}/token`, { method: 'POST' })).status).toBe(503)
  expect((await call('GET', 'faults')).body.faults).toContainEqual({ ...fault, times: 1 })
  expect((await call('DELETE', 'faults?endpoint=token')).body.faults).toEqual([{ endpoint: 'jwks', kind: 'hang' }])
  expect((await call('DELETE', 'faults')).body.faults).toEqual([])
})

test('every kind is documented', async () => {
  const kinds = (await call('GET', 'faults')).body.kinds as { kind: string; about: string; endpoints: string[] }[]
  expect(kinds.map(({ kind }) => kind)).toEqual(faultKindNames)
  for (const { about, endpoints } of kinds) expect(about.length > 10 && endpoints.length > 0).toBe(true)
})

test.each([
  ['an unknown kind', { endpoint: 'token', kind: 'explode' }, 'Unknown kind "explode". Kinds: slow, hang, reset'],
  ['no kind', { endpoint: 'token' }, 'Unknown kind undefined. Kinds: slow'],
  [
    'an unknown endpoint',
    { endpoint: 'tokens', kind: 'slow' },
    'Unknown endpoint "tokens". Endpoints: authorization',
  ],
  ['a kind that is not for the endpoint', { endpoint: 'jwks', kind: 'wrong_state' }, 'only at: authorization'],
  [
    'an option of another kind',
    { endpoint: 'token', kind: 'slow', status: 500 },
    '"slow" takes no "status"; it takes',
  ],
  [
    'a value out of range',
    { endpoint: 'token', kind: 'status', status: 99 },
    '"status" must be: HTTP status from',
  ],
  [
    'a header that is none',
    { endpoint: 'token', kind: 'status', headers: { a: 'b\r\nc: d' } },
    '"headers" must be',
  ],
  ['no times', { endpoint: 'token', kind: 'status', times: 0 }, '"times" must be'],
  ['a grant type elsewhere', { endpoint: 'jwks', kind: 'slow', grantType: 'x' }, '"grantType" must be'],
  ['a list', [], 'JSON object'],
  ['no JSON', '{', 'JSON object'],
])('%s is refused with a reason', async (_case, body, reason) => {
  const answer = await call('POST', 'faults', body)
  expect(answer.status).toBe(400)
  expect(answer.body.message).toContain(reason)
  expect((await call('GET', 'faults')).body.faults).toEqual([])
})

test('counters are readable', async () => {
  const before = (await call('GET', 'stats')).body
  await fetch(`${sandbox.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token' }),
  })
  const { tokenRequests } = (await call('GET', 'stats')).body as { tokenRequests: Record<string, number> }
  expect(tokenRequests.refresh_token).toBe(1)
  expect(before).toMatchObject({ authorizations: 0, revocations: 0, introspections: 0 })
})

test('counters start from zero again after a reset', async () => {
  await call('GET', 'elsewhere')
  expect((await call('GET', 'stats')).body).toMatchObject({ redirectsFollowed: 1 })
  const { body } = await call('POST', 'stats/reset')
  expect(body).toMatchObject({ redirectsFollowed: 0, tokenRequests: { refresh_token: 0 }, busiestSecond: 0 })
  expect((await call('GET', 'stats')).body).toEqual(body)
  expect(sandbox.stats).toEqual(body)
})

test('what is not there is a 404 that lists the switches', async () => {
  expect(await call('GET', 'nothing')).toMatchObject({ status: 404, body: { error: 'not_found' } })
})
