import { expect, test } from 'vitest'
import type { AuditFacts } from '../../src/core/audit-port.ts'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { AuthconnError } from '../../src/core/errors.ts'
import { createFetchToken } from '../../src/core/grants/fetch-token.ts'
import { Secret } from '../../src/core/secret.ts'
import { exampleGrant, now } from '../support/example-grant.ts'

const unasked = () => {
  throw new Error('not asked in this test')
}

/** A fetch of a good token, whose record becomes durable, or not, when the test says so. */
function fetching(open: () => Secret = () => new Secret('the token')) {
  const happened: string[] = []
  const records: { facts: AuditFacts; durable(): void; lost(): void }[] = []
  const fetchToken = createFetchToken({
    async lookUp() {
      const caller = {
        ...{ id: 'caller', workspaceId: 'workspace', name: 'ci', subjects: null, lastUsedAt: now },
        ...{ permissions: ['token:read' as const], connections: ['*'] },
      }
      return { now, caller, atHome: true, connectionId: 'connection', grant: exampleGrant(3600) }
    },
    audit: {
      record: ([facts]) =>
        new Promise((resolve, reject) => {
          if (!facts) return unasked()
          happened.push(`record ${facts.outcome}`)
          records.push({ facts, durable: resolve, lost: () => reject(new AuthconnError('audit_unavailable')) })
        }),
    },
    keyring: {
      ...{ seal: unasked, prepare: unasked, distrust: unasked, open: unasked },
      openNow() {
        happened.push('open')
        return open()
      },
    },
    issueToken: unasked,
    refreshGrant: unasked,
    connections: { find: unasked },
    uses: { note: () => undefined },
    callers: { touch: async () => undefined },
    inBackground: () => undefined,
  })
  const answer = fetchToken({
    authorization: `Bearer ${createApiKey().reveal()}`,
    keyHash: null,
    connection: 'google',
    wish: {},
    address: '192.0.2.1',
    requestId: 'request',
  }).then(
    ({ accessToken }) => happened.push(`answer ${accessToken.reveal()}`),
    (error) => happened.push(`refuse ${error.code}`),
  )
  return { happened, records, answer }
}

/** Longer than anything takes that waits for nothing. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('a token is opened while its record is written, and leaves when that is durable', async () => {
  const { happened, records, answer } = fetching()
  await someTurns()
  expect(happened).toEqual(['record allowed', 'open'])
  records[0]?.durable()
  await answer
  expect(happened).toEqual(['record allowed', 'open', 'answer the token'])
})

test('a token that is open stays here when its record is lost', async () => {
  const { happened, records, answer } = fetching()
  await someTurns()
  records[0]?.lost()
  await answer
  expect(happened).toEqual(['record allowed', 'open', 'refuse audit_unavailable'])
})

test('a token that does not open is refused once both records are durable', async () => {
  const { happened, records, answer } = fetching(() => {
    throw new AuthconnError('sealed_value_damaged')
  })
  await someTurns()
  expect(happened).toEqual(['record allowed', 'open'])
  records[0]?.durable()
  await someTurns()
  expect(happened.slice(2)).toEqual(['record failed'])
  expect(records[1]?.facts.reason).toBe('sealed_value_damaged')
  records[1]?.durable()
  await answer
  expect(happened.at(-1)).toBe('refuse sealed_value_damaged')
})

test('a token that does not open and whose record is lost is refused for the record', async () => {
  const { happened, records, answer } = fetching(() => {
    throw new AuthconnError('sealed_value_damaged')
  })
  await someTurns()
  records[0]?.lost()
  await answer
  expect(happened).toEqual(['record allowed', 'open', 'refuse audit_unavailable'])
})
