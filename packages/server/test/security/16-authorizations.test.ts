import { describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

// Of a replayed code or callback, and of parameters that come twice: see http/authorizations.test.ts.

const v = useVault()
const exchanges = () => v.sandbox.stats.tokenRequests.authorization_code ?? 0

const complete = (id: string, redirected_url: string, key?: string) =>
  v.call('completeAuthorization', { params: { id }, body: { redirected_url } }, key)

describe('security 16: an authorization', () => {
  test.each([
    ['the administrator of the workspace', async () => v.adminKey],
    [
      'another caller with every permission on that connection',
      async () =>
        v.createCaller({ permissions: ['connection:authorize', 'connection:manage', 'connection:read'] }),
    ],
    ['the administrator of another workspace', async () => v.createWorkspace()],
  ])('that a caller began is not completed, seen or cancelled by %s', async (_who, keyOf) => {
    const key = await keyOf()
    const own = await v.createCaller({ permissions: ['connection:authorize'] })
    const name = await v.createConnection()
    const { id, redirectedUrl } = await v.consent(name, {}, own)
    const before = exchanges()
    expectProblem(await complete(id, redirectedUrl, key), 404, 'authorization_not_found')
    expectProblem(await v.call('getAuthorization', { params: { id } }, key), 404, 'authorization_not_found')
    expectProblem(await v.call('cancelAuthorization', { params: { id } }, key), 404, 'authorization_not_found')
    expect(exchanges()).toBe(before)
    // And it is none the worse for it.
    expect((await complete(id, redirectedUrl, own)).status).toBe(200)
  })

  test('is not completed with the callback of another one of the same caller, nor spent by trying', async () => {
    const name = await v.createConnection()
    const [one, other] = [await v.consent(name), await v.consent(name)]
    const before = exchanges()
    expectProblem(await complete(one.id, other.redirectedUrl), 400, 'callback_invalid')
    expect(exchanges()).toBe(before)
    expect((await complete(one.id, one.redirectedUrl)).status).toBe(200)
    expect((await complete(other.id, other.redirectedUrl)).status).toBe(200)
  })

  test('whose caller was revoked meanwhile ends with it', async () => {
    const own = await v.createCaller({ permissions: ['connection:authorize'] })
    const { id, redirectedUrl } = await v.consent(await v.createConnection(), {}, own)
    const { body } = await v.call('listCallers', { query: { limit: 1000 } })
    const callers: { id: string; created_at: string }[] = body.callers
    const [latest] = callers.sort((a, b) => b.created_at.localeCompare(a.created_at))
    await v.call('revokeCaller', { params: { id: latest?.id ?? '' } })
    const before = exchanges()
    expectProblem(await complete(id, redirectedUrl, own), 401, 'invalid_api_key')
    expectProblem(await complete(id, redirectedUrl), 404, 'authorization_not_found')
    expect(exchanges()).toBe(before)
  })
})
