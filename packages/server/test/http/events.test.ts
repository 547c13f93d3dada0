import { afterEach, describe, expect, test } from 'vitest'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
afterEach(() => v.sandbox.faults.clear())

const forced = (name: string, subject?: string) =>
  v.call('getToken', { params: { name }, query: { force_refresh: true, ...(subject && { subject }) } })
const events = (name: string, query: Record<string, unknown> = {}, key?: string) =>
  v.call('listEvents', { params: { name }, query }, key)

async function withHistory() {
  const name = await v.createConnection()
  for (const subject of [undefined, 'alice', 'bob']) {
    await v.authorize(name, subject ? { subject } : {})
    await forced(name, subject)
  }
  await v.call('revokeGrant', { params: { name }, body: { subject: 'alice' } })
  return name
}

type Told = { subject: string | null; type: string }
const told = (answer: { body: { events: Told[] } }) =>
  answer.body.events.map(({ subject, type }) => [subject, type])

describe('200', () => {
  test('what happened, newest first, page by page', async () => {
    const name = await withHistory()
    const all = await events(name)
    expect(told(all)).toEqual([
      ['alice', 'grant.revoked'],
      ['bob', 'grant.refreshed'],
      ['alice', 'grant.refreshed'],
      [null, 'grant.refreshed'],
    ])
    const first = await events(name, { limit: 3 })
    expect(told(first)).toEqual(told(all).slice(0, 3))
    const second = await events(name, { limit: 3, after: first.body.next })
    expect(told(second)).toEqual(told(all).slice(3))
    expect(second.body.next).toBeNull()
  })

  test('of one subject', async () => {
    const name = await withHistory()
    expect(told(await events(name, { subject: 'bob' }))).toEqual([['bob', 'grant.refreshed']])
  })

  test('to a caller for some subjects, of theirs and of the application alone', async () => {
    const name = await withHistory()
    const key = await v.createCaller({ permissions: ['connection:read'], subjects: ['bob'] })
    expect(told(await events(name, {}, key))).toEqual([
      ['bob', 'grant.refreshed'],
      [null, 'grant.refreshed'],
    ])
    expectProblem(await events(name, { subject: 'alice' }, key), 403, 'permission_denied')
  })

  test('a failure once and not for each attempt, with its reason', async () => {
    const name = await v.createAuthorizedConnection()
    v.sandbox.faults.set('token', { kind: 'oauth_error', error: 'invalid_grant', description: 'signed out' })
    await forced(name)
    expect((await events(name)).body.events).toMatchObject([
      { type: 'grant.expired', code: 'grant_expired', class: 'permanent', detail: /signed out/ },
    ])
  })
})

describe('4xx', () => {
  test('connection_not_found, and an id of another connection leads nowhere', async () => {
    expectProblem(await events('no-such-thing'), 404, 'connection_not_found')
    const [one, other] = [await withHistory(), await withHistory()]
    const { id } = (await events(one)).body.events[0]
    expect((await events(other, { after: id })).body.events).toEqual([])
    expectProblem(await events(one, { after: 'x' }), 400, 'invalid_request')
  })
})
