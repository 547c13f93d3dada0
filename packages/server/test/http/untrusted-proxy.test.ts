import { afterEach, beforeEach, test, vi } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { expectProblem, useVault } from '../support/vault.ts'

const v = useVault({ environment: { AUTHCONN_AUTH_FAILURE_LIMIT: '5' } })

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

test('nobody is believed to come from elsewhere unless a proxy is trusted', async () => {
  const ask = (at: number) => {
    const address = `192.0.2.${at}`
    return v.send('GET', '/v1/connections', {
      key: createApiKey().reveal(),
      headers: { 'x-forwarded-for': address, 'x-real-ip': address, forwarded: `for=${address}` },
    })
  }
  for (let at = 0; at < 5; at++) expectProblem(await ask(at), 401, 'invalid_api_key')
  expectProblem(await ask(5), 429, 'too_many_requests')
})
