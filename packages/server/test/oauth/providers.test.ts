import { describe, expect, test } from 'vitest'
import { createResolveProvider } from '../../src/adapters/oauth/resolve-provider.ts'
import type { ProviderInput } from '../../src/core/oauth-port.ts'
import { secretMethods } from './support/clients.ts'
import { openLockedDoor } from './support/doors.ts'
import { errorOf } from './support/failures.ts'

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const login = 'https://login.microsoftonline.com'

const resolve = (input: Partial<ProviderInput> & { providerUrl: string }) =>
  createResolveProvider(openLockedDoor())({
    clientId: 'client-id',
    endpoints: {},
    authMethods: secretMethods,
    ...input,
  })

describe('the provider URLs in use are recognized, without a call', () => {
  test('Google', async () => {
    const google = await resolve({
      providerUrl: 'https://accounts.google.com',
      issuerUrl: 'https://accounts.google.com',
    })
    expect(google).toMatchObject({
      provider: 'google',
      issuer: 'https://accounts.google.com',
      endpoints: {
        authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
        token_endpoint: 'https://oauth2.googleapis.com/token',
        userinfo_endpoint: 'https://www.googleapis.com/oauth2/v2/userinfo',
        revocation_endpoint: 'https://oauth2.googleapis.com/revoke',
      },
      authorizationParameters: { access_type: 'offline', prompt: 'consent' },
    })
  })

  test.each([tenant, 'common', 'organizations', 'consumers', 'contoso.onmicrosoft.com'])(
    'Microsoft, %s',
    async (name) => {
      const microsoft = await resolve({ providerUrl: `${login}/${name}`, issuerUrl: `${login}/${name}/v2.0` })
      expect(microsoft).toMatchObject({
        provider: 'microsoft',
        endpoints: {
          authorization_endpoint: `${login}/${name}/oauth2/v2.0/authorize`,
          token_endpoint: `${login}/${name}/oauth2/v2.0/token`,
          userinfo_endpoint: 'https://graph.microsoft.com/v1.0/me',
        },
      })
      expect(microsoft.endpoints.revocation_endpoint).toBeUndefined()
    },
  )

  test('QuickBooks, by its authorization endpoint', async () => {
    const quickbooks = await resolve({
      providerUrl: 'https://appcenter.intuit.com/connect/oauth2',
      issuerUrl: 'https://oauth.platform.intuit.com/op/v1',
    })
    expect(quickbooks).toMatchObject({
      provider: 'quickbooks',
      issuer: 'https://oauth.platform.intuit.com/op/v1',
      tokenEndpointAuthMethod: 'client_secret_basic',
      endpoints: {
        authorization_endpoint: 'https://appcenter.intuit.com/connect/oauth2',
        token_endpoint: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
        userinfo_endpoint: 'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
      },
    })
  })

  test('GitHub', async () => {
    expect(await resolve({ providerUrl: 'https://github.com/login/oauth/authorize' })).toMatchObject({
      provider: 'github',
      issuer: 'https://github.com/login/oauth',
      endpoints: { token_endpoint: 'https://github.com/login/oauth/access_token' },
    })
  })

  test.each([
    ['https://accounts.google.com/', 'google'],
    ['https://ACCOUNTS.google.com:443/o/oauth2/v2/auth?hl=en', 'google'],
    ['https://github.com', 'github'],
    ['https://appcenter.intuit.com/connect/oauth2/', 'quickbooks'],
    [`${login}/`, 'microsoft'],
    [`${login}/common/v2.0/`, 'microsoft'],
    [`${login}/${tenant}/oauth2/v2.0/authorize`, 'microsoft'],
  ])('%s is %s', async (providerUrl, id) => {
    expect((await resolve({ providerUrl })).provider).toBe(id)
  })
})

describe('what only looks like a known provider is not taken for it', () => {
  test.each([
    'https://accounts.google.com.evil.example/',
    'https://evil.example/https://accounts.google.com',
    'https://evil.example/?x=https://accounts.google.com',
    'https://xaccounts.google.com/',
    'https://accounts.google.com:8443/',
    'https://accounts.google.com/o/oauth2/v2/auth/more',
    'https://accountsxgoogle.com/',
    `${login}/a/b`,
    `${login}/%2e%2e%2fcommon%2f/v2.0/x`,
    'https://github.com/someone/something',
  ])('%s', async (providerUrl) => {
    // Whatever else happens, the locked door shows that it went on to discovery.
    const error = await errorOf(resolve({ providerUrl }))
    expect(error.code).toBe('discovery_failed')
  })

  test('http is not https', async () => {
    const error = await errorOf(resolve({ providerUrl: 'http://accounts.google.com' }))
    expect(error.code).toBe('provider_url_invalid')
  })
})

describe("Microsoft's issuer", () => {
  const issuerFor = async (providerUrl: string, issuerUrl?: string) =>
    (await resolve({ providerUrl, ...(issuerUrl === undefined ? {} : { issuerUrl }) })).issuer

  test('is the tenant where the tenant is an id', async () => {
    expect(await issuerFor(`${login}/${tenant.toUpperCase()}`)).toBe(`${login}/${tenant}/v2.0`)
  })

  test('is open where the tenant depends on the account', async () => {
    for (const name of ['common', 'organizations', 'contoso.onmicrosoft.com']) {
      expect(await issuerFor(`${login}/${name}`)).toBe(`${login}/{tenantid}/v2.0`)
    }
  })

  test('is the one of all personal accounts for consumers', async () => {
    expect(await issuerFor(`${login}/consumers`)).toBe(`${login}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`)
  })

  test('can be pinned by the issuer URL', async () => {
    expect(await issuerFor(`${login}/common`, `${login}/${tenant}/v2.0`)).toBe(`${login}/${tenant}/v2.0`)
    expect(await issuerFor(login, `${login}/${tenant}/v2.0`)).toBe(`${login}/${tenant}/v2.0`)
  })

  test('cannot be another tenant', async () => {
    const other = tenant.replaceAll('7', '8')
    const error = await errorOf(
      resolve({ providerUrl: `${login}/${tenant}`, issuerUrl: `${login}/${other}/v2.0` }),
    )
    expect(error.code).toBe('issuer_mismatch')
  })
})

describe('security 17: an issuer URL that is not the provider’s is refused', () => {
  test.each(['https://accounts.google.com/', 'https://evil.example', 'https://accounts.google.com/x'])(
    '%s for Google',
    async (issuerUrl) => {
      const error = await errorOf(resolve({ providerUrl: 'https://accounts.google.com', issuerUrl }))
      expect(error.code).toBe('issuer_mismatch')
      expect(error.message).toBe(`Google names itself https://accounts.google.com, not ${issuerUrl}`)
    },
  )
})

describe('endpoints that are given', () => {
  const given = {
    authorization_endpoint: 'https://idp.example/a?fixed=1',
    token_endpoint: 'https://idp.example/t',
  }

  test('make discovery unnecessary', async () => {
    expect(await resolve({ providerUrl: 'https://idp.example', endpoints: given })).toEqual({
      provider: null,
      providerUrl: 'https://idp.example',
      issuer: null,
      endpoints: given,
      tokenEndpointAuthMethod: 'client_secret_basic',
      issParameterSupported: false,
      authorizationParameters: {},
    })
  })

  test('go with the issuer URL and authentication method that are given', async () => {
    const input = { issuerUrl: 'https://idp.example/', tokenEndpointAuthMethod: 'client_secret_post' } as const
    expect(await resolve({ providerUrl: 'https://idp.example', endpoints: given, ...input })).toMatchObject({
      issuer: 'https://idp.example/',
      tokenEndpointAuthMethod: 'client_secret_post',
    })
  })

  test('go before those of the catalog', async () => {
    const resolved = await resolve({
      providerUrl: 'https://accounts.google.com',
      endpoints: { revocation_endpoint: 'https://idp.example/revoke' },
    })
    expect(resolved.provider).toBe('google')
    expect(resolved.endpoints).toMatchObject({
      revocation_endpoint: 'https://idp.example/revoke',
      token_endpoint: 'https://oauth2.googleapis.com/token',
    })
  })

  test.each([
    [{ token_endpoint: 'http://idp.example/t' }, 'provider_url_invalid', 'must be https'],
    [{ token_endpoint: 'https://idp.example/t#f' }, 'provider_url_invalid', 'fragment'],
    [{ token_endpoint: 'https://u:p@idp.example/t' }, 'provider_url_invalid', 'user name'],
    [{ token_endpoint: 'not a url' }, 'provider_url_invalid', 'token_endpoint is not a URL'],
    [{ token_endpoint: 'https://10.0.0.1/t' }, 'provider_address_refused', 'does not call'],
    [{ jwks_uri: 'https://169.254.169.254/jwks' }, 'provider_address_refused', 'jwks_uri'],
    [{ token_endpoint: 'http://127.0.0.1:4000/t' }, 'provider_address_refused', 'loopback'],
  ])('%o is %s', async (changes, code, words) => {
    const error = await errorOf(
      resolve({ providerUrl: 'https://idp.example', endpoints: { ...given, ...changes } }),
    )
    expect(error.code).toBe(code)
    expect(error.message).toContain(words)
  })
})

test.each([
  ['nonsense', 'provider_url_invalid'],
  ['', 'provider_url_invalid'],
  ['javascript:alert(1)', 'provider_url_invalid'],
  ['http://idp.example', 'provider_url_invalid'],
  ['https://idp.example/#x', 'provider_url_invalid'],
  ['https://2130706433/', 'provider_address_refused'],
  ['http://localhost:4000', 'provider_address_refused'],
])('the provider URL %j is %s', async (providerUrl, code) => {
  expect((await errorOf(resolve({ providerUrl }))).code).toBe(code)
})

test.each(['https://idp.example?x=1', 'https://idp.example#x', 'http://idp.example', 'idp.example'])(
  'the issuer URL %s is not one',
  async (issuerUrl) => {
    const error = await errorOf(resolve({ providerUrl: 'https://idp.example', issuerUrl }))
    expect(error.code).toBe('provider_url_invalid')
  },
)

describe('a provider given by its name', () => {
  const byName = (provider: string, variables: ProviderInput['variables'] = {}) =>
    createResolveProvider(openLockedDoor())({
      provider,
      variables,
      clientId: 'client/1',
      endpoints: {},
      authMethods: secretMethods,
    })

  test('is the one that its URL means', async () => {
    expect(await byName('google')).toEqual(await resolve({ providerUrl: 'https://accounts.google.com' }))
  })

  test('takes the variables of its URLs', async () => {
    const microsoft = await byName('microsoft', { tenant: 'Contoso.onmicrosoft.com' })
    expect(microsoft).toMatchObject({
      providerUrl: `${login}/contoso.onmicrosoft.com`,
      endpoints: { token_endpoint: `${login}/contoso.onmicrosoft.com/oauth2/v2.0/token` },
    })
    expect(await byName('salesforce', { subdomain: 'acme--uat.sandbox.my' })).toMatchObject({
      providerUrl: 'https://acme--uat.sandbox.my.salesforce.com',
      issuer: 'https://acme--uat.sandbox.my.salesforce.com',
    })
  })

  test('has its usual one where none is given', async () => {
    expect((await byName('salesforce')).issuer).toBe('https://login.salesforce.com')
    expect((await byName('microsoft')).providerUrl).toBe(`${login}/common`)
  })

  test('holds the client id where an endpoint has it in its path, as one segment', async () => {
    expect((await byName('github')).endpoints.revocation_endpoint).toBe(
      'https://api.github.com/applications/client%2F1/grant',
    )
  })

  test.each([
    ['gogle', {}, 'There is no provider "gogle" in the catalog'],
    ['google', { tenant: 'x' }, 'Google has no tenant'],
    ['salesforce', { subdomain: 'evil.example/x' }, 'is no subdomain of Salesforce'],
    ['salesforce', { subdomain: 'acme' }, 'is no subdomain of Salesforce'],
    ['microsoft', { tenant: 'a/../b' }, 'is no tenant of'],
  ] as const)('%s with %j is refused', async (provider, variables, words) => {
    const error = await errorOf(byName(provider, variables))
    expect(error.code).toBe('invalid_request')
    expect(error.message).toContain(words)
  })

  test('cannot be of another tenant than its URL says', async () => {
    const error = await errorOf(resolve({ providerUrl: `${login}/${tenant}`, variables: { tenant: 'other' } }))
    expect(error.message).toContain('another tenant')
  })

  test('needs no variable where the catalog does not know the provider', async () => {
    const error = await errorOf(resolve({ providerUrl: 'https://idp.example', variables: { region: 'eu' } }))
    expect(error.code).toBe('invalid_request')
  })
})
