import { afterEach, describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => {
  v.sandbox.faults.clear()
  v.sandbox.setAccessTokenTtl(3600)
})

const token = (name: string, query: Record<string, unknown> = {}) =>
  v.call('getToken', { params: { name }, query })
const refreshes = () => v.sandbox.stats.tokenRequests.refresh_token ?? 0

describe('200', () => {
  test('a forced refresh, once for all who force it at the same time', async () => {
    const name = await v.createAuthorizedConnection()
    const first = await token(name)
    const before = refreshes()
    const answers = await Promise.all(Array.from({ length: 20 }, () => token(name, { force_refresh: true })))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const versions = new Set(answers.map(({ body }) => body.version))
    expect(versions).toEqual(new Set([first.body.version + 1]))
    expect(refreshes()).toBe(before + 1)
  })

  test('a replacement of the version that an API refused, and not of one that is replaced already', async () => {
    const name = await v.createAuthorizedConnection()
    const { version } = (await token(name)).body
    const before = refreshes()
    expect((await token(name, { rejected_version: version })).body.version).toBe(version + 1)
    expect((await token(name, { rejected_version: version })).body.version).toBe(version + 1)
    // Its replacement is refused at once: the vault does not go on refreshing for that.
    expect((await token(name, { rejected_version: version + 1 })).body.version).toBe(version + 1)
    expect(refreshes()).toBe(before + 1)
  })

  test('a token that lives shorter than the default min_ttl', async () => {
    v.sandbox.setAccessTokenTtl(20)
    const name = await v.createAuthorizedConnection()
    const before = refreshes()
    for (let i = 0; i < 5; i++) expect((await token(name)).status).toBe(200)
    expect(refreshes()).toBe(before)
  })

  test('a token whose end the provider does not tell, with the end that introspection tells', async () => {
    v.sandbox.faults.set('token', { kind: 'no_expires_in' })
    const name = await v.createAuthorizedConnection()
    const { body } = await v.call('getConnection', { params: { name } })
    expect(body.expires_at_assumed).toBe(false)
    expect((Date.parse(body.expires_at) - Date.now()) / 1000).toBeGreaterThan(3500)
  })

  test('and with an assumed end where nobody tells, which is refreshed by then', async () => {
    v.sandbox.faults.set('token', { kind: 'no_expires_in' })
    v.sandbox.faults.set('introspection', { kind: 'status', status: 500 })
    const name = await v.createAuthorizedConnection()
    const { body } = await v.call('getConnection', { params: { name } })
    expect(body).toMatchObject({ expires_at_assumed: true, refreshable: true })
    const inAnHour = (Date.parse(body.expires_at) - Date.now()) / 1000
    expect(inAnHour).toBeGreaterThan(3500)
    expect(inAnHour).toBeLessThanOrEqual(3600)
    expect(Date.parse(body.next_refresh_at)).toBeLessThan(Date.parse(body.expires_at))
  })

  test('the end of the refresh token, as the provider tells it', async () => {
    v.sandbox.faults.set('token', { kind: 'edit_json', set: { refresh_token_expires_in: 86_400 } })
    const name = await v.createAuthorizedConnection()
    const { body } = await v.call('getConnection', { params: { name } })
    const inADay = (Date.parse(body.refresh_token_expires_at) - Date.now()) / 1000
    expect(inADay).toBeGreaterThan(86_300)
    expect(inADay).toBeLessThanOrEqual(86_400)
  })
})

describe('400', () => {
  test.each([
    { min_ttl: -1 },
    { min_ttl: 'soon' },
    { min_ttl: 86_401 },
    { min_ttl: '1e999' },
    { max_wait: 61 },
    { force_refresh: 'yes' },
    { rejected_version: 'a' },
    { rejected_version: 2_147_483_648 },
  ])('invalid_request for %j', async (query) => {
    expectProblem(await token('some-connection', query), 400, 'invalid_request')
  })
})

describe('409', () => {
  test('min_ttl_unreachable, after one refresh and not after many', async () => {
    const name = await v.createAuthorizedConnection()
    const before = refreshes()
    for (let i = 0; i < 4; i++) {
      const answer = await token(name, { min_ttl: 7200 })
      expectProblem(answer, 409, 'min_ttl_unreachable')
      expect(answer.body.detail).toMatch(/3[56]\d\d s of its 3600 left, 7200 were asked for/)
    }
    expect(refreshes()).toBe(before + 1)
  })

  test('grant_not_refreshable where a refresh is insisted on and there is nothing to refresh with', async () => {
    v.sandbox.faults.set('token', { kind: 'no_refresh_token' })
    const name = await v.createAuthorizedConnection()
    expect((await token(name)).status).toBe(200)
    expectProblem(await token(name, { force_refresh: true }), 409, 'grant_not_refreshable')
  })
})

describe('503', () => {
  test('refresh_in_progress with Retry-After when the caller cannot wait longer, while the refresh goes on', async () => {
    v.sandbox.setAccessTokenTtl(1)
    const name = await v.createAuthorizedConnection()
    await new Promise((resolve) => setTimeout(resolve, 1000))
    v.sandbox.setAccessTokenTtl(3600)
    v.sandbox.faults.set('token', { kind: 'slow', delayMs: 500 })
    const before = refreshes()
    const started = performance.now()
    const answer = await token(name, { max_wait: 0 })
    expect(performance.now() - started).toBeLessThan(400)
    expectProblem(answer, 503, 'refresh_in_progress')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect((await token(name)).status).toBe(200)
    expect(refreshes()).toBe(before + 1)
  })
})
