import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { authorizationKinds } from '../src/faults/kinds/authorization.ts'
import { idTokenKinds } from '../src/faults/kinds/id-token.ts'
import { tokenKinds } from '../src/faults/kinds/token.ts'
import { type Sandbox, startSandbox } from '../src/index.ts'
import { readError, readTokens, type TokenAnswer } from './support/client.ts'
import { createFaultyClient } from './support/faulty-client.ts'
import { isSignedBy } from './support/is-signed-by.ts'

let sandbox: Sandbox
let client: ReturnType<typeof createFaultyClient>
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  client = createFaultyClient(sandbox)
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

type Name = keyof typeof tokenKinds | keyof typeof idTokenKinds | keyof typeof authorizationKinds
const names = Object.keys({ ...tokenKinds, ...idTokenKinds, ...authorizationKinds }) as Name[]

const cases: Record<Name, () => Promise<void>> = {
  no_expires_in: async () => expect(await client.tokensUnder('no_expires_in')).not.toHaveProperty('expires_in'),
  expires_in_string: async () =>
    expect(await client.tokensUnder('expires_in_string')).toMatchObject({ expires_in: '3600' }),
  expires_in_null: async () =>
    expect(await client.tokensUnder('expires_in_null')).toMatchObject({ expires_in: null }),
  expires_in_negative: async () =>
    expect(await client.tokensUnder('expires_in_negative')).toMatchObject({ expires_in: -1 }),
  expires_in_words: async () =>
    expect(await client.tokensUnder('expires_in_words')).toMatchObject({ expires_in: 'one hour' }),
  expires_in_huge: async () =>
    expect(await client.tokensUnder('expires_in_huge')).toMatchObject({ expires_in: 1e18 }),
  no_token_type: async () => expect(await client.tokensUnder('no_token_type')).not.toHaveProperty('token_type'),
  odd_token_type: async () =>
    expect(await client.tokensUnder('odd_token_type')).toMatchObject({ token_type: 'bot' }),
  scope_array: async () => expect(await client.tokensUnder('scope_array')).toMatchObject({ scope: ['openid'] }),
  empty_refresh_token: async () =>
    expect(await client.tokensUnder('empty_refresh_token')).toMatchObject({ refresh_token: '' }),
  null_refresh_token: async () =>
    expect(await client.tokensUnder('null_refresh_token')).toMatchObject({ refresh_token: null }),
  numeric_refresh_token: async () =>
    expect(await client.tokensUnder('numeric_refresh_token')).toMatchObject({
      access_token: expect.any(String),
      refresh_token: expect.any(Number),
    }),
  no_refresh_token: async () =>
    expect(await client.tokensUnder('no_refresh_token')).not.toHaveProperty('refresh_token'),
  extra_fields: async () =>
    expect(await client.tokensUnder('extra_fields')).toMatchObject({ ok: true, team: { id: 'T1' } }),
  async control_characters() {
    const { before, answer } = await client.refreshUnder({ kind: 'control_characters' })
    const tokens = await readTokens(answer)
    expect(tokens.access_token).toMatch(/^[\w-]+\r\nx-injected: 1\0$/)
    expect(tokens.refresh_token).not.toBe(before.refresh_token)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
  },
  async token_in_error() {
    const { before, answer } = await client.refreshUnder({ kind: 'token_in_error' })
    expect(answer.status).toBe(400)
    const body = (await answer.json()) as TokenAnswer
    expect(body).toMatchObject({ error: 'invalid_grant', access_token: expect.any(String) })
    expect((await client.refresh(body.refresh_token)).status).toBe(200)
    expect(await client.isUsedUp(before)).toBe(true)
    const { answer: own } = await client.refreshUnder({ kind: 'token_in_error', error: 'server_error' })
    expect(await readError(own)).toEqual({ status: 400, error: 'server_error' })
  },
  async form_encoded() {
    const { answer } = await client.refreshUnder({ kind: 'form_encoded' })
    expect(answer.headers.get('content-type')).toBe('application/x-www-form-urlencoded')
    const tokens = new URLSearchParams(await answer.text())
    expect(tokens.get('expires_in')).toBe('3600')
    expect((await client.refresh(tokens.get('refresh_token') ?? '')).status).toBe(200)
  },
  async wrong_id_token_signature() {
    const { id_token: real } = await client.signIn('openid')
    const { id_token: forged } = await client.tokensUnder('wrong_id_token_signature')
    expect(await isSignedBy(sandbox, real)).toBe(true)
    expect(await isSignedBy(sandbox, forged)).toBe(false)
    expect(String(forged).split('.')[0]).toBe(real?.split('.')[0])
  },
  async unsigned_id_token() {
    const [header = '', , signature] = String((await client.tokensUnder('unsigned_id_token')).id_token).split('.')
    expect([Buffer.from(header, 'base64url').toString(), signature]).toEqual(['{"alg":"none"}', ''])
  },
  async wrong_nonce() {
    expect(await client.claimsUnder('wrong_nonce')).toMatchObject({ nonce: 'another-nonce' })
    expect(await isSignedBy(sandbox, (await client.tokensUnder('wrong_nonce')).id_token)).toBe(true)
  },
  wrong_audience: async () =>
    expect(await client.claimsUnder('wrong_audience')).toMatchObject({ aud: 'another-client' }),
  wrong_id_token_issuer: async () =>
    expect(await client.claimsUnder('wrong_id_token_issuer')).toMatchObject({ iss: 'https://issuer.example' }),
  expired_id_token: async () =>
    expect((await client.claimsUnder('expired_id_token')).exp).toBeLessThan(Date.now() / 1000),
  no_id_token: async () => expect(await client.tokensUnder('no_id_token')).not.toHaveProperty('id_token'),
  async authorization_error() {
    const callback = await client.callbackUnder({ kind: 'authorization_error', error: 'temporarily_unavailable' })
    expect(Object.fromEntries(callback)).toEqual({
      error: 'temporarily_unavailable',
      state: 'the-state',
      iss: sandbox.issuer,
    })
  },
  wrong_iss: async () =>
    expect((await client.callbackUnder({ kind: 'wrong_iss' })).get('iss')).toBe('https://issuer.example'),
  missing_iss: async () => expect((await client.callbackUnder({ kind: 'missing_iss' })).has('iss')).toBe(false),
  wrong_state: async () =>
    expect((await client.callbackUnder({ kind: 'wrong_state' })).getAll('state')).toEqual(['another-state']),
  missing_state: async () =>
    expect((await client.callbackUnder({ kind: 'missing_state' })).has('state')).toBe(false),
  duplicate_state: async () =>
    expect((await client.callbackUnder({ kind: 'duplicate_state' })).getAll('state')).toEqual([
      'the-state',
      'another-state',
    ]),
}

test.each(names)('%s, once', async (kind) => {
  await cases[kind]()
  sandbox.faults.clear()
  await readTokens(await client.refresh((await client.signIn('openid')).refresh_token))
})
