import { setImmediate as turn } from 'node:timers/promises'
import { beforeAll, expect, test, vi } from 'vitest'
import { mostAtEase, mostLag } from '../../src/http/shed-load.ts'
import { type Answer, expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
beforeAll(() => v.vault.app.ready())

/** Keeps the event loop so busy for two seconds that every timer is late. */
async function keepBusy() {
  const end = performance.now() + 2500
  while (performance.now() < end) {
    const until = performance.now() + 1.6 * mostLag
    while (performance.now() < until);
    await turn()
  }
}

const askOften = (times: number): Promise<Answer[]> =>
  Promise.all(Array.from({ length: times }, () => v.call('listConnections')))

const exchangeOf = (token: string) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' as const,
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' as const,
})

const count = (answers: Answer[], status: number) => answers.filter((answer) => answer.status === status).length

test('a vault that is late and has much to do answers what it has begun, and refuses the rest for a while', async () => {
  await keepBusy()
  const [answers, logins, exchange, health, readiness] = await Promise.all([
    askOften(mostAtEase + 50),
    v.call('listLogins', { query: {} }, null),
    v.call('exchangeToken', { body: exchangeOf('a.b.c') }, null),
    v.call('getHealth'),
    v.call('getReadiness'),
  ])
  expect(count(answers, 200)).toBe(mostAtEase)
  const refused = answers.find(({ status }) => status === 503)
  if (!refused) throw new Error('nothing was refused')
  expectProblem(refused, 503, 'overloaded')
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
  expectProblem(logins, 503, 'overloaded')
  expectProblem(exchange, 503, 'overloaded')
  expect(health.status).toBe(200)
  expectProblem(readiness, 503, 'not_ready')
  expect(readiness.body.detail).toMatch(/more to do/)

  await vi.waitFor(async () => expect(count(await askOften(mostAtEase + 50), 503)).toBe(0), { timeout: 10_000 })
  expect((await v.call('getReadiness')).status).toBe(200)
  expect((await v.send('GET', '/metrics')).body).toMatch(/^authconn_overloaded_total [1-9]/m)
})

test('a vault that is late with little to do refuses nobody: it is not the requests that make it late', async () => {
  await keepBusy()
  const [answers, readiness] = await Promise.all([askOften(20), v.call('getReadiness')])
  expect(count(answers, 200)).toBe(20)
  expect(readiness.status).toBe(200)
})
