import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useVault } from '../support/vault.ts'
import { wire } from './support/misbehaviours.ts'

// In this process, which is the vault's: the provider is another one.

const v = useVault({ environment: { AUTHCONN_PROVIDER_TIMEOUT: '1' } })
let provider: ChildProcess
let origin = ''

beforeAll(async () => {
  provider = fork(join(import.meta.dirname, 'support/hostile.process.ts'), { execArgv: [] })
  const [port] = await once(provider, 'message')
  origin = `http://127.0.0.1:${port}`
})
afterAll(() => provider.kill())

const names = Object.keys(wire) as (keyof typeof wire)[]
const large = names.filter((name) => /endless|bomb|without end|that ends|million/.test(name))

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024)

async function createConnection(what: keyof typeof wire): Promise<string> {
  return v.createConnection({
    provider_url: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/${names.indexOf(what)}/token`,
  })
}

async function authorize(name: string): Promise<number> {
  const redirect_uri = 'http://127.0.0.1:8080/callback'
  const started = await v.call('startAuthorization', {
    params: { name },
    body: { scopes: ['read'], redirect_uri },
  })
  const state = new URL(started.body.authorization_url).searchParams.get('state')
  const answer = await v.call('completeAuthorization', {
    params: { id: started.body.id },
    body: { redirected_url: `${redirect_uri}?code=c&state=${state}` },
  })
  return answer.status
}

test('security 21: whatever a provider sends, and however often, the vault needs no more memory for it', async () => {
  expect(large.length).toBeGreaterThan(12)
  const connections: string[] = []
  for (const what of large) connections.push(await createConnection(what))
  // Once as it will be measured, so that all code is loaded and all buffers are as large as they get.
  await Promise.all(connections.map(authorize))
  collectGarbage()
  const before = process.memoryUsage()
  let peak = before.rss
  const sampling = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 10)
  for (let round = 0; round < 3; round++) {
    const statuses = await Promise.all(connections.map(authorize))
    expect(statuses.every((status) => status === 502 || status === 503)).toBe(true)
  }
  clearInterval(sampling)
  collectGarbage()
  // Each of the bombs alone unpacks to 100 MB, and what never ends brings hundreds each second.
  expect(megabytes(peak - before.rss), 'MB more resident at most').toBeLessThan(96)
  expect(megabytes(process.memoryUsage().heapUsed - before.heapUsed), 'MB more heap afterwards').toBeLessThan(16)
}, 60_000)
