import { randomBytes } from 'node:crypto'
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { browse, startSandbox } from '@authconn/sandbox'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { startIssuer, vaultAudience } from '../support/oidc-issuer.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

const connections = 64
const repetitions = 100

type Vault = Awaited<ReturnType<typeof startVaultProcess>>

async function twoReplicas() {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  const sandbox = await startSandbox({ signingAlg: 'ES256' })
  onTestFinished(sandbox.stop)
  const shared = {
    DATABASE_URL: database.url,
    AUTHCONN_KEK: randomBytes(32).toString('base64'),
    AUTHCONN_RATE_LIMIT: '0',
    AUTHCONN_AUTH_FAILURE_LIMIT: '0',
  }
  const a = await startVaultProcess({ ...shared, AUTHCONN_DATA_DIR: temporaryDirectory() })
  const b = await startVaultProcess({ ...shared, AUTHCONN_DATA_DIR: temporaryDirectory() })
  const { client_id, client_secret } = sandbox.client
  const created = await a.call('createConnection', {
    body: { name: 'shared', provider_url: sandbox.issuer, client_id, client_secret },
  })
  expect(created.status).toBe(201)
  return { a, b }
}

async function authorize(vault: Vault, subject: string) {
  const started = await vault.call('startAuthorization', {
    params: { name: 'shared' },
    body: { scopes: ['api:read'], redirect_uri: 'http://127.0.0.1:8080/callback', subject },
  })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const { id } = started.body
  const body = { redirected_url: redirectedUrl }
  expect((await vault.call('completeAuthorization', { params: { id }, body })).status).toBe(200)
}

/** Fetches at B on all connections without a pause, while `revoke` is answered at A; resolves to what came of each. */
async function fetchWhile(url: string, headers: Record<string, string>, revoke: () => Promise<void>) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const outcomes: { startedAt: number; status: number }[] = []
  let revokedAt = Number.POSITIVE_INFINITY
  let stop = false
  const worker = async () => {
    while (!stop) {
      const startedAt = performance.now()
      const status = await statusOf(url, headers, agent)
      outcomes.push({ startedAt, status })
    }
  }
  const workers = Array.from({ length: connections }, worker)
  const until = async (enough: () => boolean) => {
    for (let waited = 0; !enough() && waited < 2_000; waited += 5) await sleep(5)
  }
  await until(() => outcomes.length >= connections)
  await revoke()
  revokedAt = performance.now()
  await until(() => outcomes.filter(({ startedAt }) => startedAt > revokedAt).length >= connections)
  stop = true
  await Promise.all(workers)
  agent.destroy()
  return {
    before: outcomes.filter(({ startedAt, status }) => startedAt < revokedAt && status === 200).length,
    after: outcomes.filter(({ startedAt }) => startedAt > revokedAt).length,
    leaked: outcomes.filter(({ startedAt, status }) => startedAt > revokedAt && status === 200).length,
  }
}

function statusOf(url: string, headers: Record<string, string>, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    }).once('error', reject)
  })
}

/** Of each replica in turn: what it answers to a token of another platform. */
async function exchangeAtAll(vaults: readonly Vault[], token: string, times: number) {
  const body = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  } as const
  const answers = vaults.flatMap((vault) =>
    Array.from({ length: times }, () => vault.call('exchangeToken', { body }, 'none')),
  )
  return Promise.all(answers)
}

test('security 26: a token of another platform at two replicas at once gives one key, which ends with its trust', async () => {
  const { a, b } = await twoReplicas()
  const issuer = await startIssuer()
  onTestFinished(issuer.stop)
  const trust = await a.call('createTrust', {
    body: {
      name: 'deploy',
      preset: 'github',
      issuer: issuer.url,
      audience: [vaultAudience],
      claims: [{ claim: 'repository_id', values: ['456789'] }],
      permissions: ['connection:read'],
    },
  })
  expect(trust.status).toBe(201)
  const keys: string[] = []
  for (let round = 0; round < 5; round++) {
    const answers = await exchangeAtAll([a, b], issuer.sign(issuer.githubClaims()), 8)
    const given = answers.filter(({ status }) => status === 200)
    expect(given).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(15)
    keys.push(given[0]?.body.access_token)
  }
  const statuses = async (vault: Vault) =>
    Promise.all(keys.map(async (key) => (await vault.call('listConnections', {}, key)).status))
  expect(await statuses(b)).toEqual([200, 200, 200, 200, 200])
  expect((await a.call('revokeTrust', { params: { name: 'deploy' } })).status).toBe(200)
  expect(await statuses(b)).toEqual([401, 401, 401, 401, 401])
})

describe('what is revoked at one replica is refused by the other from its next request on', () => {
  test(`a key, ${repetitions} times under load`, { timeout: 120_000 }, async () => {
    const { a, b } = await twoReplicas()
    await authorize(a, 'user')
    const total = { before: 0, after: 0, leaked: 0 }
    for (let i = 0; i < repetitions; i++) {
      const { body } = await a.call('createCaller', {
        body: { name: `caller-${i}`, permissions: ['token:read'] },
      })
      const found = await fetchWhile(
        `${b.url}/v1/connections/shared/token?subject=user`,
        { authorization: `Bearer ${body.api_key}` },
        async () => void expect((await a.call('revokeCaller', { params: { id: body.id } })).status).toBe(200),
      )
      for (const key of ['before', 'after', 'leaked'] as const) total[key] += found[key]
    }
    expect(total.leaked).toBe(0)
    expect(total.before).toBeGreaterThan((repetitions * connections) / 2)
    expect(total.after).toBeGreaterThan((repetitions * connections) / 2)
  })

  test(`a grant, ${repetitions} times under load`, { timeout: 120_000 }, async () => {
    const { a, b } = await twoReplicas()
    const subjects = Array.from({ length: repetitions }, (_, index) => `user-${index}`)
    for (const subject of subjects) await authorize(a, subject)
    const total = { before: 0, after: 0, leaked: 0 }
    for (const subject of subjects) {
      const found = await fetchWhile(
        `${b.url}/v1/connections/shared/token?subject=${subject}`,
        { authorization: `Bearer ${a.credentials().api_key}` },
        async () => {
          const answer = await a.call('revokeGrant', { params: { name: 'shared' }, body: { subject } })
          expect(answer.status).toBe(200)
        },
      )
      for (const key of ['before', 'after', 'leaked'] as const) total[key] += found[key]
    }
    expect(total.leaked).toBe(0)
    expect(total.before).toBeGreaterThan((repetitions * connections) / 2)
    expect(total.after).toBeGreaterThan((repetitions * connections) / 2)
  })
})
