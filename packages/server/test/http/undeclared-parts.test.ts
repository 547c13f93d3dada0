import { contract, type Endpoint, type OperationName, routes } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import { urlOf } from '../support/url-of.ts'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
const operations = Object.keys(routes) as OperationName[]
const endpointOf = (name: OperationName): Endpoint => contract[name]
const params = { name: 'some-connection', id: '7c9e6679-7425-40de-944b-e07fc1f90ae7' }

test.each(operations)('%s refuses a query that it does not declare', async (name) => {
  const { body } = endpointOf(name)
  const key = await v.keyFor(name)
  const url = `${urlOf(name, params, {})}?nonsense=1`
  const answer = await v.send(routes[name][0], url, { key, ...(body ? { body: {} } : {}) })
  expectProblem(answer, 400, 'invalid_request')
})

describe.each(operations.filter((name) => !endpointOf(name).body))('%s', (name) => {
  const [method] = routes[name]
  const url = urlOf(name, params, {})

  test('refuses a body, and says that it takes none', async () => {
    for (const body of ['{"subject":"alice"}', '{}', '{', 'x=1']) {
      const answer = await v.send(method, url, { key: await v.keyFor(name), body })
      expectProblem(answer, 400, 'invalid_request')
      expect(answer.body.detail).toContain('/body must be left out')
    }
  })

  test('does not mind a content type without a body', async () => {
    for (const type of ['application/json', 'text/html', 'nonsense']) {
      const { body } = await v.send(method, url, {
        key: await v.keyFor(name),
        headers: { 'content-type': type },
      })
      expect(['invalid_json', 'unsupported_media_type', 'invalid_request']).not.toContain(body.code)
    }
  })
})

test('a subject in the query of a revocation is refused, and revokes nothing', async () => {
  const name = await v.createAuthorizedConnection()
  const answer = await v.send('POST', `/v1/connections/${name}/revoke?subject=alice`, { body: {} })
  expectProblem(answer, 400, 'invalid_request')
  expect(answer.body.detail).toBe('/query subject belongs into the body')
  expect((await v.call('getToken', { params: { name } })).status).toBe(200)
})

test('a subject in the body of a token fetch is refused, with where it belongs', async () => {
  const answer = await v.send('GET', '/v1/connections/a/token', { body: { subject: 'alice' } })
  expectProblem(answer, 400, 'invalid_request')
  expect(answer.body.detail).toMatch(/none; subject, .* belong into the query/)
})
