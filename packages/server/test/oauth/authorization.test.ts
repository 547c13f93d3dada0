import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkAuthorizationResponse } from '../../src/adapters/oauth/authorization-response.ts'
import { authorizationUrl } from '../../src/adapters/oauth/authorization-url.ts'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { callback, clientOf, endpoints, requestOf } from './support/clients.ts'
import { everythingShownOf } from './support/failures.ts'

describe('the authorization URL', () => {
  test('carries what RFC 6749 and RFC 7636 ask for', async () => {
    const request = requestOf({ scopes: ['openid', 'read'], nonce: 'nonce-1' })
    const url = new URL(await authorizationUrl(clientOf(), request))
    expect(url.origin + url.pathname).toBe('https://idp.example/authorize')
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'client-id',
      redirect_uri: 'http://127.0.0.1:8080/callback',
      scope: 'openid read',
      state: 'state-0123456789',
      nonce: 'nonce-1',
      code_challenge: createHash('sha256').update(request.codeVerifier.reveal()).digest('base64url'),
      code_challenge_method: 'S256',
    })
    expect(url.href).not.toContain(request.codeVerifier.reveal())
  })

  test('keeps the query of the endpoint, but not where it would replace the protocol', async () => {
    const authorization_endpoint =
      'https://idp.example/authorize?tenant=t&state=theirs&code_challenge_method=plain'
    const client = clientOf({
      endpoints: { ...endpoints, authorization_endpoint },
      authorizationParameters: { access_type: 'offline', redirect_uri: 'https://evil.example' },
    })
    const { searchParams } = new URL(await authorizationUrl(client, requestOf()))
    expect(searchParams.getAll('tenant')).toEqual(['t'])
    expect(searchParams.getAll('state')).toEqual(['state-0123456789'])
    expect(searchParams.getAll('code_challenge_method')).toEqual(['S256'])
    expect(searchParams.getAll('access_type')).toEqual(['offline'])
    expect(searchParams.getAll('redirect_uri')).toEqual(['http://127.0.0.1:8080/callback'])
  })

  test('names no scope when none is asked, and no nonce without openid', async () => {
    const { searchParams } = new URL(await authorizationUrl(clientOf(), requestOf({ scopes: [] })))
    expect(searchParams.has('scope')).toBe(false)
    expect(searchParams.has('nonce')).toBe(false)
  })

  test('asks Microsoft for offline_access, once, and for no prompt', async () => {
    const client = clientOf({ provider: 'microsoft' })
    const once = new URL(await authorizationUrl(client, requestOf({ scopes: ['User.Read'] })))
    const twice = new URL(await authorizationUrl(client, requestOf({ scopes: ['offline_access', 'User.Read'] })))
    expect(once.searchParams.get('scope')).toBe('User.Read offline_access')
    expect(twice.searchParams.get('scope')).toBe('offline_access User.Read')
    expect(twice.searchParams.has('prompt')).toBe(false)
  })

  test('asks for consent where offline_access needs it', async () => {
    const url = new URL(await authorizationUrl(clientOf(), requestOf({ scopes: ['openid', 'offline_access'] })))
    expect(url.searchParams.get('prompt')).toBe('consent')
  })
})

const state = 'state-0123456789'

function outcome(parameters: Record<string, string> | string, client = clientOf(), request = requestOf()) {
  try {
    return checkAuthorizationResponse(client, request, callback(parameters)).code
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    return error.kind
  }
}

describe('security 15 and 16: the authorization response', () => {
  test('gives its code', () => {
    expect(outcome({ code: 'c1', state })).toBe('c1')
  })

  test.each<[string, Record<string, string> | string]>([
    ['no state', { code: 'c1' }],
    ['another state', { code: 'c1', state: 'other' }],
    ['neither code nor error', { state }],
    ['an empty code', { code: '', state }],
    ['both code and error', { code: 'c1', error: 'access_denied', state }],
    ['two codes', `code=a&code=b&state=${state}`],
    ['two equal codes', `code=a&code=a&state=${state}`],
    ['two states', `code=a&state=${state}&state=${state}`],
    ['two issuers', `code=a&state=${state}&iss=https://idp.example&iss=https://idp.example`],
    ['two of a parameter that nobody asked for', `code=a&state=${state}&x=1&x=2`],
    ['a signed response', { code: 'c1', response: 'jwt', state }],
    ['an ID token of the hybrid flow', { code: 'c1', id_token: 'a.b.c', state }],
    ['an access token of the implicit flow', { access_token: 'at', state }],
  ])('with %s is refused', (_, parameters) => {
    expect(outcome(parameters)).toBe('callback')
  })

  test('RFC 9207: iss is checked where it comes, and must come where that is advertised', () => {
    const advertised = clientOf({ issParameterSupported: true })
    const iss = 'https://idp.example'
    expect(outcome({ code: 'c1', state, iss })).toBe('c1')
    expect(outcome({ code: 'c1', state, iss }, advertised)).toBe('c1')
    expect(outcome({ code: 'c1', state }, advertised)).toBe('issuer')
    for (const other of ['https://evil.example', `${iss}/`, '', iss.toUpperCase()]) {
      expect(outcome({ code: 'c1', state, iss: other })).toBe('issuer')
    }
  })

  test('RFC 9207: an error of another issuer is not shown as the provider’s', () => {
    expect(outcome({ error: 'access_denied', state, iss: 'https://evil.example' })).toBe('issuer')
  })

  test('an issuer that cannot be compared is not trusted', () => {
    expect(outcome({ code: 'c1', state, iss: 'https://idp.example' }, clientOf({ issuer: null }))).toBe('issuer')
    expect(outcome({ code: 'c1', state }, clientOf({ issuer: null }))).toBe('c1')
  })

  test('Microsoft’s issuer may be any tenant where the tenant is open, and nothing else', () => {
    const client = clientOf({ provider: 'microsoft', issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' })
    const of = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`
    expect(outcome({ code: 'c1', state, iss: of('72f988bf-86f1-41af-91ab-2d7cd011db47') }, client)).toBe('c1')
    for (const tenant of ['common', '{tenantid}', '', 'x/72f988bf-86f1-41af-91ab-2d7cd011db47']) {
      expect(outcome({ code: 'c1', state, iss: of(tenant) }, client)).toBe('issuer')
    }
  })

  test('braces in an issuer are nothing special elsewhere', () => {
    const client = clientOf({ issuer: 'https://idp.example/{tenantid}' })
    const iss = 'https://idp.example/72f988bf-86f1-41af-91ab-2d7cd011db47'
    expect(outcome({ code: 'c1', state, iss }, client)).toBe('issuer')
  })
})

describe('a denial', () => {
  const denial = (parameters: Record<string, string>) => {
    try {
      checkAuthorizationResponse(clientOf(), requestOf(), callback({ state, ...parameters }))
    } catch (error) {
      if (error instanceof ProviderFailure) return error
    }
    return expect.fail('nothing was thrown')
  }

  test('says what the provider said', () => {
    const failure = denial({ error: 'access_denied', error_description: 'The user said no' })
    expect(failure.kind).toBe('denied')
    expect(failure.message).toBe('The provider answered access_denied: The user said no')
  })

  test('is one line of bounded length without hidden characters', () => {
    const failure = denial({
      error: 'x\u0000y',
      error_description: `\u202e\u001b[2J<script>\n${'long '.repeat(2000)}`,
    })
    expect(failure.message.length).toBeLessThan(300)
    expect(failure.message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(failure.message).toMatch(/^The provider answered an error: /)
  })

  test('does not repeat state or verifier', () => {
    const { state: sent, codeVerifier } = requestOf()
    const failure = denial({ error: sent, error_description: `${sent} ${codeVerifier.reveal()}` })
    expect(everythingShownOf(failure)).not.toContain(sent)
    expect(everythingShownOf(failure)).not.toContain(codeVerifier.reveal())
  })
})
