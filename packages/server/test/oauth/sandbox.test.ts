import {
  browse,
  type Fault,
  type FaultKindName,
  type Sandbox,
  type SandboxOptions,
  startSandbox,
} from '@authconn/sandbox'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createOAuth } from '../../src/adapters/oauth/create-oauth.ts'
import { createSafeFetch, type SafeFetch } from '../../src/adapters/oauth/safe-fetch.ts'
import {
  type AuthorizationRequest,
  type OAuthClient,
  ProviderFailure,
  type TokenSet,
} from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { requestOf, secretMethods, secretOf } from './support/clients.ts'
import { everythingShownOf, failureOf } from './support/failures.ts'

/** The adapter and a provider, with what a person does in between. Keeps the bodies that came, to look for leaks. */
async function startFlow(options: SandboxOptions = {}) {
  const sandbox = await startSandbox(options)
  const door = createSafeFetch({ allowLoopback: true, timeoutMs: 1500 })
  const bodies: string[] = []
  const listening: SafeFetch = Object.assign(
    async (...request: Parameters<SafeFetch>) => {
      const response = await door(...request)
      bodies.push(await response.clone().text())
      return response
    },
    { policy: door.policy, close: door.close },
  )
  const oauth = createOAuth({ safeFetch: listening, refreshTimeoutMs: 2_000 })
  const resolved = await oauth.resolveProvider({
    clientId: 'client-id',
    providerUrl: sandbox.issuer,
    endpoints: {},
    authMethods: secretMethods,
  })
  const client: OAuthClient = {
    ...resolved,
    clientId: sandbox.client.client_id,
    credential: secretOf(sandbox.client.client_secret),
  }
  const request = requestOf({ scopes: ['openid', 'email'], nonce: 'nonce-0123456789-0123456789' })

  const authorize = async (using: AuthorizationRequest = request, login?: BrowseOptions) =>
    new URL((await browse(await oauth.authorizationUrl(client, using), login)).redirectedUrl)
  const signIn = async (): Promise<TokenSet & { refreshToken: Secret }> => {
    const tokens = await oauth.exchangeCode(client, request, await authorize())
    return { ...tokens, refreshToken: tokens.refreshToken ?? expect.fail('no refresh token') }
  }
  const stop = async () => {
    await sandbox.stop()
    await door.close()
  }
  return { sandbox, oauth, client, request, bodies, authorize, signIn, stop }
}

type BrowseOptions = Parameters<typeof browse>[1]
type Flow = Awaited<ReturnType<typeof startFlow>>

let flow: Flow

beforeAll(async () => {
  flow = await startFlow()
})
afterEach(() => flow.sandbox.faults.clear())
afterAll(() => flow.stop())

/** The outcome of a refresh under a fault that strikes once. */
async function refreshUnder(fault: Fault): Promise<TokenSet> {
  const { refreshToken } = await flow.signIn()
  flow.sandbox.faults.set('token', fault, { times: 1 })
  return flow.oauth.refresh(flow.client, refreshToken)
}

async function exchangeUnder(endpoint: Parameters<Sandbox['faults']['set']>[0], fault: Fault): Promise<TokenSet> {
  flow.sandbox.faults.set(endpoint, fault)
  return flow.oauth.exchangeCode(flow.client, flow.request, await flow.authorize())
}

describe('with a certified provider', () => {
  test('a connection is resolved, authorized, refreshed and revoked', async () => {
    const { oauth, client, sandbox } = flow
    expect(client).toMatchObject({ issuer: sandbox.issuer, issParameterSupported: true, provider: null })

    const first = await flow.signIn()
    expect(first).toMatchObject({ tokenType: 'Bearer', expiresIn: 3600, scope: 'openid email' })
    const second = await oauth.refresh(client, first.refreshToken)
    expect(second.accessToken.reveal()).not.toBe(first.accessToken.reveal())
    const rotated = second.refreshToken ?? expect.fail('no refresh token')
    expect(rotated.reveal()).not.toBe(first.refreshToken.reveal())

    await oauth.revoke(client, rotated, 'refresh_token')
    expect((await failureOf(oauth.refresh(client, rotated))).kind).toBe('invalid_grant')
  })

  test.each<SandboxOptions>([
    { signingAlg: 'ES256' },
    {
      clients: [
        {
          client_id: 'c',
          client_secret: 'se-cr_et.~!*()+/%&=:',
          token_endpoint_auth_method: 'client_secret_basic',
        },
      ],
    },
    {
      clients: [
        {
          client_id: 'c',
          client_secret: 'se-cr_et.~!*()+/%&=:',
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
    },
  ])('it works with %j', async (options) => {
    const other = await startFlow(options)
    try {
      const method = options.clients?.[0].token_endpoint_auth_method ?? 'client_secret_basic'
      const client = { ...other.client, tokenEndpointAuthMethod: method }
      const tokens = await other.oauth.exchangeCode(client, other.request, await other.authorize())
      expect(tokens.refreshToken).not.toBeNull()
    } finally {
      await other.stop()
    }
  })

  test('security 16: a code works once', async () => {
    const { oauth, client, request } = flow
    const callback = await flow.authorize()
    await oauth.exchangeCode(client, request, callback)
    expect((await failureOf(oauth.exchangeCode(client, request, callback))).kind).toBe('invalid_grant')
  })

  test('a code without its verifier is worth nothing', async () => {
    const callback = await flow.authorize()
    const request = { ...flow.request, codeVerifier: new Secret('v'.repeat(43)) }
    expect((await failureOf(flow.oauth.exchangeCode(flow.client, request, callback))).kind).toBe('invalid_grant')
  })

  test('a refresh token that was used is not accepted again', async () => {
    const { refreshToken } = await flow.signIn()
    await flow.oauth.refresh(flow.client, refreshToken)
    expect((await failureOf(flow.oauth.refresh(flow.client, refreshToken))).kind).toBe('invalid_grant')
  })

  test('a wrong client secret is the client’s failure', async () => {
    const { refreshToken } = await flow.signIn()
    const client = { ...flow.client, credential: secretOf('wrong-client-secret') }
    expect((await failureOf(flow.oauth.refresh(client, refreshToken))).kind).toBe('client')
    expect((await failureOf(flow.oauth.revoke(client, refreshToken, 'refresh_token'))).kind).toBe('client')
  })

  test('a person who says no is a denial', async () => {
    const callback = await flow.authorize(flow.request, { consent: 'deny' })
    const failure = await failureOf(flow.oauth.exchangeCode(flow.client, flow.request, callback))
    expect(failure.kind).toBe('denied')
    expect(failure.message).toContain('access_denied')
  })

  test('revoking what is no token any more is success', async () => {
    await flow.oauth.revoke(flow.client, new Secret('never-issued'), 'access_token')
  })
})

describe('security 15: an authorization response that was tampered with', () => {
  test.each<[FaultKindName, string]>([
    ['wrong_iss', 'issuer'],
    ['missing_iss', 'issuer'],
    ['wrong_state', 'callback'],
    ['missing_state', 'callback'],
    ['duplicate_state', 'callback'],
    ['authorization_error', 'denied'],
  ])('%s is %s, and its code is not exchanged', async (kind, failure) => {
    const before = flow.sandbox.stats.tokenRequests.authorization_code
    expect((await failureOf(exchangeUnder('authorization', { kind }))).kind).toBe(failure)
    expect(flow.sandbox.stats.tokenRequests.authorization_code).toBe(before)
  })
})

const idTokenFaults: FaultKindName[] = [
  'wrong_id_token_signature',
  'unsigned_id_token',
  'wrong_nonce',
  'wrong_audience',
  'wrong_id_token_issuer',
  'expired_id_token',
  'no_id_token',
]

describe('security 17: an ID token', () => {
  test.each(idTokenFaults)('%s: no tokens from the exchange', async (kind) => {
    expect((await failureOf(exchangeUnder('token', { kind }))).kind).toBe('id_token')
  })

  test.each(idTokenFaults)('%s: a refresh keeps its tokens, which may have been rotated', async (kind) => {
    const tokens = await refreshUnder({ kind })
    expect(tokens.refreshToken).not.toBeNull()
  })
})

describe('security 22: a token answer that breaks the RFC keeps its usable tokens', () => {
  test.each<[FaultKindName, Partial<TokenSet>]>([
    ['no_expires_in', { expiresIn: 3600, expiryAssumed: false }],
    ['expires_in_string', { expiresIn: 3600 }],
    ['expires_in_null', { expiresIn: 3600, expiryAssumed: false }],
    ['expires_in_negative', { expiresIn: 3600, expiryAssumed: false }],
    ['expires_in_words', { expiresIn: 3600, expiryAssumed: false }],
    ['expires_in_huge', { expiresIn: 315_360_000 }],
    ['no_token_type', { tokenType: 'Bearer' }],
    ['odd_token_type', { tokenType: 'bot' }],
    ['scope_array', { scope: 'openid email' }],
    ['empty_refresh_token', { refreshToken: null }],
    ['null_refresh_token', { refreshToken: null }],
    ['no_refresh_token', { refreshToken: null }],
    ['extra_fields', { tokenType: 'Bearer', expiresIn: 3600 }],
    ['form_encoded', { tokenType: 'Bearer', expiresIn: 3600 }],
  ])('%s', async (kind, expected) => {
    expect(await refreshUnder({ kind })).toMatchObject(expected)
  })

  test('control_characters: that token is refused', async () => {
    expect((await failureOf(refreshUnder({ kind: 'control_characters' }))).kind).toBe('unintelligible')
  })

  test('odd_token_type: not understood, so not used, when it comes for a code', async () => {
    expect((await failureOf(exchangeUnder('token', { kind: 'odd_token_type' }))).kind).toBe('unintelligible')
  })
})

const failing: [Fault, ProviderFailure['kind'], number?][] = [
  [{ kind: 'status', status: 500 }, 'passing'],
  [{ kind: 'status', status: 503, headers: { 'retry-after': '7' } }, 'passing', 7],
  [{ kind: 'status', status: 429, headers: { 'retry-after': '2' } }, 'passing', 2],
  [{ kind: 'status', status: 400 }, 'unrecognized'],
  [{ kind: 'status', status: 403, body: 'go away' }, 'unrecognized'],
  [{ kind: 'oauth_error', error: 'invalid_grant' }, 'invalid_grant'],
  [{ kind: 'oauth_error', error: 'invalid_client' }, 'client'],
  [{ kind: 'oauth_error', error: 'unauthorized_client' }, 'client'],
  [{ kind: 'oauth_error', error: 'temporarily_unavailable', status: 400 }, 'passing'],
  [{ kind: 'oauth_error', error: 'made_up', status: 403 }, 'unrecognized'],
  [{ kind: 'error_in_200', error: 'invalid_grant' }, 'invalid_grant'],
  [{ kind: 'html' }, 'unintelligible'],
  [{ kind: 'truncated_json' }, 'unintelligible'],
  [{ kind: 'redirect' }, 'unintelligible'],
  [{ kind: 'huge' }, 'unintelligible'],
  [{ kind: 'bomb' }, 'unintelligible'],
  [{ kind: 'hang' }, 'passing'],
  [{ kind: 'slow', delayMs: 2000 }, 'passing'],
  [{ kind: 'reset' }, 'passing'],
  [{ kind: 'reset_after' }, 'passing'],
]

describe('security 21: a token endpoint that misbehaves', () => {
  test.each(failing)('%j is %s', async (fault, kind, retryAfter) => {
    const failure = await failureOf(refreshUnder(fault))
    expect(failure.kind).toBe(kind)
    expect(failure.retryAfter).toBe(retryAfter)
    expect(flow.sandbox.stats.redirectsFollowed).toBe(0)
  })

  test.each<[Fault, string]>([
    [{ kind: 'status', status: 503 }, 'passing'],
    [{ kind: 'hang' }, 'passing'],
    [{ kind: 'oauth_error', error: 'unsupported_token_type' }, 'unsupported'],
    [{ kind: 'oauth_error', error: 'invalid_client' }, 'client'],
    [{ kind: 'redirect' }, 'unintelligible'],
  ])('a revocation endpoint under %j is %s', async (fault, kind) => {
    const { refreshToken } = await flow.signIn()
    flow.sandbox.faults.set('revocation', fault)
    expect((await failureOf(flow.oauth.revoke(flow.client, refreshToken, 'refresh_token'))).kind).toBe(kind)
  })

  test.each<[Fault, string]>([
    [{ kind: 'status', status: 503 }, 'passing'],
    [{ kind: 'reset' }, 'passing'],
    [{ kind: 'html' }, 'unintelligible'],
    [{ kind: 'edit_json', set: { keys: [] } }, 'id_token'],
    [{ kind: 'redirect' }, 'unintelligible'],
  ])('keys under %j are %s', async (fault, kind) => {
    const fresh = await startFlow()
    try {
      const callback = await fresh.authorize()
      fresh.sandbox.faults.set('jwks', fault)
      expect((await failureOf(fresh.oauth.exchangeCode(fresh.client, fresh.request, callback))).kind).toBe(kind)
    } finally {
      await fresh.stop()
    }
  })
})

test('security 9: no error shows a token, code or secret, whatever goes wrong', async () => {
  const { oauth, client, request, bodies } = flow
  const secrets = new Set([flow.sandbox.client.client_secret, request.codeVerifier.reveal(), request.state])
  const shown: string[] = []
  const failingTo = (promise: Promise<unknown>) =>
    promise.catch((error: unknown) => {
      expect(error).toBeInstanceOf(ProviderFailure)
      shown.push(everythingShownOf(error))
    })

  for (const [fault] of [...failing, ...idTokenFaults.map((kind): [Fault] => [{ kind }])]) {
    flow.sandbox.faults.clear()
    const { refreshToken } = await flow.signIn()
    const callback = await flow.authorize()
    secrets.add(refreshToken.reveal()).add(callback.searchParams.get('code') ?? '')
    const echo = `Cannot use ${refreshToken.reveal()} or ${callback.searchParams.get('code')} of ${flow.sandbox.client.client_secret}`
    const telling = fault.kind === 'oauth_error' || fault.kind === 'error_in_200' ? { description: echo } : {}
    flow.sandbox.faults.set('token', { ...fault, ...telling })
    await failingTo(oauth.exchangeCode(client, request, callback))
    await failingTo(oauth.refresh(client, refreshToken))
  }

  // Whatever looks like a token in what the provider sent counts as one, half a token included.
  for (const body of bodies) for (const [run] of body.matchAll(/[\w-]{24,}/g)) secrets.add(run)
  expect(shown.length).toBeGreaterThan(failing.length)
  expect(secrets.size).toBeGreaterThan(100)
  const everything = shown.join('\n')
  expect([...secrets].filter((secret) => everything.includes(secret))).toEqual([])
}, 90_000)
