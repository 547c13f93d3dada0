import { describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { createAuthenticate } from '../../src/core/callers/authenticate.ts'
import type { Caller } from '../../src/core/ports.ts'

const caller: Caller = {
  id: 'id',
  workspaceId: 'workspace',
  name: 'ci',
  permissions: ['token:read'],
  connections: ['*'],
  subjects: null,
  addresses: ['10.0.0.0/8'],
  createdAt: new Date(0),
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  formerKeyUntil: null,
  trustId: null,
  identity: null,
}

function authenticating(given: { lastUsedAt?: Date; atHome?: boolean; touch?: () => Promise<void> } = {}) {
  const asked: (string | null)[] = []
  const touched: string[] = []
  const background: Promise<unknown>[] = []
  const { lastUsedAt = null, atHome = true } = given
  const authenticate = createAuthenticate({
    callers: {
      async findLive(_hash, address) {
        asked.push(address)
        return { caller: { ...caller, lastUsedAt }, atHome }
      },
      async touch(id) {
        touched.push(id)
        await given.touch?.()
      },
    },
    inBackground: (work) => void background.push(work),
  })
  const header = `Bearer ${createApiKey().reveal()}`
  return { asked, touched, background, authenticate: (address: string | null) => authenticate(header, address) }
}

test('an address is asked for in the one spelling that ranges have', async () => {
  const { asked, authenticate } = authenticating()
  for (const address of ['::ffff:10.0.0.1', 'fe80::1%eth0', 'unknown', null]) await authenticate(address)
  expect(asked).toEqual(['10.0.0.1', 'fe80::1', null, null])
})

test('a right key at a wrong address is refused, and not told where it may be used', async () => {
  const { touched, authenticate } = authenticating({ atHome: false })
  const refused = await authenticate('192.0.2.1').catch((error) => error)
  expect(refused).toMatchObject({
    code: 'permission_denied',
    message: 'The key "ci" may not be used from this address',
    actor: { id: 'id', workspaceId: 'workspace', name: 'ci' },
  })
  expect(JSON.stringify(refused)).not.toContain('10.0.0.0')
  expect(touched).toEqual([])
})

describe('a use', () => {
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)

  test.each([
    ['never', {}, 1],
    ['61 minutes ago', { lastUsedAt: minutesAgo(61) }, 1],
    ['59 minutes ago', { lastUsedAt: minutesAgo(59) }, 0],
  ])('is noted when the last was %s: %j', async (_when, given, times) => {
    const { touched, authenticate } = authenticating(given)
    await authenticate(null)
    expect(touched).toHaveLength(times)
  })

  test('is noted once for many requests at a time, and does not make them wait or fail', async () => {
    let fail = () => {}
    const touch = () => new Promise<void>((_resolve, reject) => (fail = () => reject(new Error('read only'))))
    const { touched, background, authenticate } = authenticating({ touch })
    await Promise.all([authenticate(null), authenticate(null), authenticate(null)])
    expect(touched).toEqual(['id'])
    fail()
    await Promise.all(background)
    await authenticate(null)
    expect(touched).toEqual(['id', 'id'])
    fail()
  })
})
