import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { browse, startSandbox } from '@authconn/sandbox'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { createApiKey } from '../../src/core/callers/api-key.ts'
import { type Answers, type Load, putLoad } from '../support/load.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

const database = temporaryDatabase(inject('postgresUrl'))
beforeAll(database.create)
afterAll(database.drop)

const failureLimit = 30
const floodConnections = 64

async function startVaultWithToken() {
  const sandbox = await startSandbox()
  onTestFinished(sandbox.stop)
  const vault = await startVaultProcess({
    AUTHCONN_DATA_DIR: temporaryDirectory(),
    DATABASE_URL: database.url,
    AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
    // So high that it is counted and not reached.
    AUTHCONN_RATE_LIMIT: '900000000',
    AUTHCONN_AUTH_FAILURE_LIMIT: String(failureLimit),
  })
  await vault.call('createConnection', {
    body: { name: 'wanted', provider_url: sandbox.issuer, ...sandbox.client },
  })
  const started = await vault.call('startAuthorization', {
    params: { name: 'wanted' },
    body: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const { id } = started.body
  const completed = await vault.call('completeAuthorization', {
    params: { id },
    body: { redirected_url: redirectedUrl },
  })
  expect(completed.status).toBe(200)
  const caller = await vault.call('createCaller', { body: { name: 'good', permissions: ['token:read'] } })
  return { vault, key: caller.body.api_key as string }
}

/** A process that floods the vault each time it is told to. */
function startFlooder() {
  const flooder = fork(fileURLToPath(new URL('../support/load.process.ts', import.meta.url)))
  onTestFinished(() => void flooder.kill('SIGKILL'))
  return async (load: Load): Promise<Answers> => {
    flooder.send(load)
    const [answers] = await once(flooder, 'message')
    return answers
  }
}

test('callers elsewhere keep half of their throughput through a flood of bad keys', {
  timeout: 60_000,
}, async () => {
  const { vault, key } = await startVaultWithToken()
  const path = '/v1/connections/wanted/token'
  const good: Load = { url: vault.url, from: '127.0.0.2', connections: 16, seconds: 0.8, path, keys: [key] }
  const keys = Array.from({ length: 5000 }, () => createApiKey().reveal())
  const bad: Load = { ...good, from: '127.0.0.1', connections: floodConnections, seconds: 1, keys }
  const flood = startFlooder()
  await putLoad(good)

  const ratios: number[] = []
  const refused: Answers = {}
  // Each beside the other, since the machine has more to do at one time than at another.
  for (let round = 0; round < 5; round++) {
    const alone = await putLoad(good)
    const flooded = flood(bad)
    await sleep(100)
    const through = await putLoad(good)
    expect([Object.keys(alone), Object.keys(through)]).toEqual([['200'], ['200']])
    ratios.push((through[200] ?? 0) / (alone[200] ?? 0))
    for (const [status, times] of Object.entries(await flooded)) {
      refused[Number(status)] = (refused[Number(status)] ?? 0) + times
    }
  }

  expect(ratios.sort((one, other) => one - other)[2], `ratios ${ratios}`).toBeGreaterThan(0.5)
  // What was under way when the limit was reached had been let through to the database, and nothing after that; the
  // minute may have ended once meanwhile.
  expect(Object.keys(refused)).toEqual(['401', '429'])
  expect(refused[401]).toBeLessThanOrEqual(2 * (failureLimit + floodConnections))
  const figures = await fetch(`${vault.url}/metrics`, {
    headers: { authorization: `Bearer ${vault.credentials().api_key}` },
  })
  const text = await figures.text()
  expect(text).toContain(`authconn_denials_total{code="invalid_api_key"} ${refused[401]}`)
  expect(text).toContain(`authconn_rate_limited_total{limit="address"} ${refused[429]}`)

  // Nor does it flood the log.
  const log = vault.output().stdout
  expect(log.match(/too many API keys or tokens that are not valid/g)?.length).toBeLessThanOrEqual(2)
  expect(log).not.toContain('"status":429')
})
