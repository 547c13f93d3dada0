import { Provider } from '@authconn/shared'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { listProviders, recognizeProvider } from '../../src/adapters/oauth/providers.ts'
import { createResolveProvider } from '../../src/adapters/oauth/resolve-provider.ts'
import { fillUrl } from '../../src/adapters/oauth/url-template.ts'
import { secretMethods } from './support/clients.ts'
import { openLockedDoor } from './support/doors.ts'

const ajv = new Ajv({ allErrors: true, strict: false })
const providers = listProviders()
const entries = providers.map((provider) => [provider.id, provider] as const)
const examples = (provider: Provider) =>
  Object.fromEntries((provider.variables ?? []).map(({ name, example }) => [name, example]))

test.each(entries)('%s has the shape of the schema', (_, provider) => {
  const validate = ajv.compile(Provider)
  expect(validate(provider), JSON.stringify(validate.errors)).toBe(true)
})

test('each id and each URL is there once', () => {
  const ids = providers.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const urls = providers.flatMap(({ provider_url, other_urls = [] }) => [provider_url, ...other_urls])
  expect(urls.filter((url, at) => urls.indexOf(url) !== at)).toEqual([])
})

test.each(entries)('%s is recognized by all its URLs, and is made of https and known variables', (_, provider) => {
  const values = examples(provider)
  for (const url of [provider.provider_url, ...(provider.other_urls ?? [])]) {
    expect(recognizeProvider(new URL(fillUrl(url, values)))?.entry.id).toBe(provider.id)
  }
  const known = [...(provider.variables ?? []).map(({ name }) => name), 'client_id', 'tenantid']
  const urls = [
    ...Object.values(provider.endpoints),
    provider.registration.url,
    provider.documentation,
    provider.account?.url,
    provider.issuer_url,
  ]
  for (const url of urls) {
    if (url === undefined || url === null) continue
    expect(new URL(fillUrl(url, { ...values, client_id: 'c', tenantid: 't' })).protocol).toBe('https:')
    for (const [, name] of url.matchAll(/\{(\w+)\}/g)) expect(known).toContain(name)
  }
})

test.each(entries)(
  '%s resolves by its id, without a call and without a variable left open',
  async (id, provider) => {
    const resolved = await createResolveProvider(openLockedDoor())({
      provider: id,
      variables: examples(provider),
      clientId: 'client/1',
      authMethods: secretMethods,
      endpoints: {},
    })
    expect(resolved.provider).toBe(id)
    expect(Object.values(resolved.endpoints).join()).not.toContain('{')
    expect(resolved.providerUrl).not.toContain('{')
  },
)

test.each(entries)('%s declares nothing that contradicts itself', (_, provider) => {
  for (const { example, pattern, default: usual } of provider.variables ?? []) {
    expect(example).toMatch(new RegExp(`^(?:${pattern})$`))
    if (usual !== undefined) expect(usual).toMatch(new RegExp(`^(?:${pattern})$`))
    // It becomes part of a host or a path: nothing in it may end either.
    for (const evil of ['a/b', 'a?b', 'a#b', 'a@b', 'a:b', 'a b', '', '%2f']) {
      expect(evil).not.toMatch(new RegExp(`^(?:${pattern})$`))
    }
  }
  if (provider.revocation) expect(provider.endpoints.revocation_endpoint).toBeDefined()
  const { account } = provider
  if (account?.source === 'url') expect(account.url).toBeDefined()
  if (account?.source === 'userinfo') expect(provider.endpoints.userinfo_endpoint).toBeDefined()
  if (account?.body !== undefined) expect(() => JSON.parse(account.body ?? '')).not.toThrow()
  if (provider.refresh_token.rotation === 'none') expect(provider.refresh_token.idle).toBeUndefined()
  if (provider.revocation?.account_field !== undefined) expect(account?.id).toBeDefined()
})
