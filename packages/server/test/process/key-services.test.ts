import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { browse, type Sandbox, startSandbox } from '@authconn/sandbox'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { awsArn, fakeAwsKms, refuse as refuseAsAws } from '../key-services/support/fake-aws-kms.ts'
import { fakeAzureKeyVault, refuse as refuseAsAzure } from '../key-services/support/fake-azure-key-vault.ts'
import { fakeGcpKms, gcpName, refuse as refuseAsGcp } from '../key-services/support/fake-gcp-kms.ts'
import { fakeTransit, refuse as refuseAsTransit } from '../key-services/support/fake-transit.ts'
import type { FakeService, Fault } from '../key-services/support/serve-key-service.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { runServer, startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256' })
})
afterAll(() => sandbox.stop())

interface Subject {
  service: FakeService
  environment: Record<string, string>
  /** How often it was asked to unwrap, or to wrap, or anything else of it. */
  count(): { wraps: number; unwraps: number }
  refusal: Fault
  /** What the vault shows itself with. */
  credential: string
}

const counting = (names: () => string[]) => () => ({
  wraps: names().filter((name) => /encrypt|wrapkey|sign/i.test(name) && !/unwrapkey/i.test(name)).length,
  unwraps: names().filter((name) => /decrypt|unwrapkey/i.test(name)).length,
})

const subjects: Record<string, () => Promise<Subject>> = {
  async 'AWS KMS'() {
    const service = await fakeAwsKms()
    return {
      service,
      environment: { ...service.environment, AUTHCONN_KEK: `aws-kms:${awsArn}` },
      count: counting(() => service.calls.map(({ headers }) => String(headers['x-amz-target']))),
      refusal: refuseAsAws('AccessDeniedException', 'The vault is not authorized to perform: kms:Decrypt'),
      credential: service.environment.AWS_SECRET_ACCESS_KEY ?? '',
    }
  },
  async 'Google Cloud KMS'() {
    const service = await fakeGcpKms()
    return {
      service,
      environment: { ...service.environment, AUTHCONN_KEK: `gcp-kms:${gcpName}` },
      count: counting(() => service.calls.map(({ path }) => path)),
      refusal: refuseAsGcp(403, 'PERMISSION_DENIED'),
      credential: 'ya29.of-the-service-account',
    }
  },
  async 'Azure Key Vault'() {
    const service = await fakeAzureKeyVault()
    const certificate = join(temporaryDirectory(), 'certificate.pem')
    return {
      service,
      environment: { ...service.environment(certificate), AUTHCONN_KEK: service.kek },
      count: counting(() => service.authorizedCalls().map(({ path }) => path)),
      refusal: refuseAsAzure(403, 'Forbidden'),
      credential: 'eyJ0.of-the-identity',
    }
  },
  async 'Vault transit'() {
    const service = await fakeTransit()
    return {
      service,
      environment: { AUTHCONN_KEK: service.kek, AUTHCONN_TRANSIT_TOKEN: 'hvs.the-token' },
      count: counting(() => service.calls.map(({ path }) => path)),
      refusal: refuseAsTransit(403, 'permission denied'),
      credential: 'hvs.the-token',
    }
  },
}

/** The data keys that a service was sent to wrap. */
function keysIn({ calls }: FakeService): string[] {
  return calls.flatMap(({ body }) => body?.Plaintext ?? body?.plaintext ?? body?.value ?? [])
}

type Vault = Awaited<ReturnType<typeof startVaultProcess>>

async function createAndAuthorize(vault: Vault, name: string, key?: string) {
  const { client_id, client_secret } = sandbox.client
  const body = { name, provider_url: sandbox.issuer, client_id, client_secret }
  expect(await vault.call('createConnection', { body }, key)).toMatchObject({ status: 201 })
  const request = { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' }
  const started = await vault.call('startAuthorization', { params: { name }, body: request }, key)
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const done = await vault.call(
    'completeAuthorization',
    { params: { id: started.body.id }, body: { redirected_url: redirectedUrl } },
    key,
  )
  expect(done).toMatchObject({ status: 200 })
}

/** Another workspace with a connection; its administrator's key. */
async function anotherWorkspace(vault: Vault, env: Environment, name: string): Promise<string> {
  const { code, stderr } = await runServer(['operator-key'], env)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const { api_key } = JSON.parse(readFileSync(join(env.AUTHCONN_DATA_DIR, 'operator.json'), 'utf8'))
  const made = await vault.call('createWorkspace', { body: { name } }, api_key)
  expect(made).toMatchObject({ status: 201 })
  const key = made.body.administrator.api_key
  await createAndAuthorize(vault, 'there', key)
  return key
}

type Environment = Record<string, string> & { AUTHCONN_DATA_DIR: string; DATABASE_URL: string }

async function environmentOf(more: Record<string, string>): Promise<Environment> {
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  return { ...more, AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: database.url, AUTHCONN_RATE_LIMIT: '0' }
}

describe.each(Object.keys(subjects))('with a key in %s', { timeout: 60_000 }, (name) => {
  const prepare = async () => {
    const subject = await (subjects[name] ?? expect.unreachable())()
    return { ...subject, environment: await environmentOf(subject.environment) }
  }

  test('the vault serves tokens and asks it for nothing once it is warm', async () => {
    const { environment, count } = await prepare()
    const vault = await startVaultProcess(environment)
    await createAndAuthorize(vault, 'here')
    const there = await anotherWorkspace(vault, environment, 'acme')
    for (let at = 0; at < 8; at++)
      await vault.call('createWorkspace', { body: { name: `more-${at}` } }, operatorKey(environment))
    expect(await vault.end('SIGTERM')).toBe(0)

    const before = count()
    const again = await startVaultProcess(environment)
    const started = count()
    // One data key, to see that the key is the right one, and the key of the audit log; not those of 11 workspaces.
    expect(started.unwraps - before.unwraps).toBeLessThanOrEqual(3)
    const fetched = () =>
      Promise.all(
        [undefined, there].map((key) => again.call('getToken', { params: { name: key ? 'there' : 'here' } }, key)),
      )
    for (const answer of await fetched()) expect(answer).toMatchObject({ status: 200 })
    expect(count()).toEqual({ wraps: before.wraps, unwraps: started.unwraps + 2 })
    for (let at = 0; at < 100; at++) {
      for (const answer of await fetched()) expect(answer).toMatchObject({ status: 200 })
    }
    expect(count()).toEqual({ wraps: before.wraps, unwraps: started.unwraps + 2 })
    expect(await again.end('SIGTERM')).toBe(0)
  })

  test('what was unwrapped goes on being served while it is away, and the rest is to be asked for again', async () => {
    const { environment, service, credential } = await prepare()
    const first = await startVaultProcess(environment)
    await createAndAuthorize(first, 'here')
    const there = await anotherWorkspace(first, environment, 'acme')
    expect(await first.end('SIGTERM')).toBe(0)
    const vault = await startVaultProcess({ ...environment, AUTHCONN_LOG_LEVEL: 'trace' })
    expect(await vault.call('getToken', { params: { name: 'here' } })).toMatchObject({ status: 200 })

    service.fault = () => 'reset'
    expect(await vault.call('getToken', { params: { name: 'here' } })).toMatchObject({ status: 200 })
    const refused = await vault.call('getToken', { params: { name: 'there' } }, there)
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'kms_unavailable', detail: `${name} does not answer` },
    })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await vault.call('getReadiness')).status).toBe(200)

    service.fault = undefined
    await expect
      .poll(async () => (await vault.call('getToken', { params: { name: 'there' } }, there)).status, {
        timeout: 10_000,
      })
      .toBe(200)
    const { stdout, stderr } = vault.output()
    expect(stdout).toContain('kms_unavailable')
    const secrets = [credential, ...keysIn(service)]
    expect(secrets.length).toBeGreaterThan(3)
    for (const secret of secrets) expect(stdout + stderr).not.toContain(secret)
  })

  test('the vault does not start without it, and says what it said', async () => {
    const { environment, service, refusal } = await prepare()
    await (await startVaultProcess(environment)).end('SIGTERM')
    service.fault = () => refusal
    const refused = await runServer(['start', '--port', '0'], environment)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('kms_refused') })
    expect(refused.stderr).toMatch(/permission|not authorized|Forbidden/i)
    service.fault = () => 'reset'
    const away = await runServer(['start', '--port', '0'], environment)
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('kms_unavailable') })
    service.fault = undefined
    await startVaultProcess(environment)
  })
})

test('a callback that came while the key service was away can be sent again', async () => {
  const service = await fakeTransit()
  const environment = await environmentOf({
    AUTHCONN_TRANSIT_TOKEN: 'hvs.the-token',
    AUTHCONN_KEK: service.kek,
  })
  const first = await startVaultProcess(environment)
  const { client_id, client_secret } = sandbox.client
  const connection = { name: 'here', provider_url: sandbox.issuer, client_id, client_secret }
  expect(await first.call('createConnection', { body: connection })).toMatchObject({ status: 201 })
  const request = { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' }
  const started = await first.call('startAuthorization', { params: { name: 'here' }, body: request })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  await first.end('SIGTERM')

  const vault = await startVaultProcess(environment)
  const complete = () =>
    vault.call('completeAuthorization', {
      params: { id: started.body.id },
      body: { redirected_url: redirectedUrl },
    })
  service.fault = () => 'reset'
  expect(await complete()).toMatchObject({ status: 503, body: { code: 'kms_unavailable' } })
  service.fault = undefined
  await expect.poll(async () => (await complete()).status, { timeout: 10_000 }).toBe(200)
})

test('a vault moves from its key file to a key service while what was sealed before goes on being served', async () => {
  const service = await fakeTransit()
  const environment = await environmentOf({ AUTHCONN_TRANSIT_TOKEN: 'hvs.the-token', AUTHCONN_KEK: '' })
  const { AUTHCONN_TRANSIT_TOKEN: _token, ...plain } = environment
  const before = await startVaultProcess(plain as Environment)
  await createAndAuthorize(before, 'here')
  await before.end('SIGTERM')

  const alone = { ...environment, AUTHCONN_KEK: service.kek }
  const missing = await runServer(['start', '--port', '0'], alone)
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('key_encryption_key_wrong') })
  expect(missing.stderr).toContain(`the current key has id ${service.kek}`)

  const both = { ...environment, AUTHCONN_KEK: `${service.kek} file:${environment.AUTHCONN_DATA_DIR}/kek` }
  service.fault = () => refuseAsTransit(403, 'permission denied')
  expect(await runServer(['start', '--port', '0'], both)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('kms_refused'),
  })
  service.fault = undefined
  const vault = await startVaultProcess(both)
  expect(await vault.call('getToken', { params: { name: 'here' } })).toMatchObject({ status: 200 })
  const there = await anotherWorkspace(vault, both, 'acme')
  expect(service.calls.length).toBeGreaterThan(0)
  expect(await vault.call('getToken', { params: { name: 'there' } }, there)).toMatchObject({ status: 200 })
})

test.each([
  ['aws-kms', `aws-kms:${awsArn}`, 'npm install @aws-sdk/client-kms'],
  ['gcp-kms', `gcp-kms:${gcpName}`, 'npm install google-auth-library'],
  [
    'azure-key-vault',
    'azure-key-vault:https://a.vault.azure.net/keys/kek',
    'npm install @azure/keyvault-keys @azure/identity',
  ],
])('says what to install where the client of %s is not', async (scheme, kek, advice) => {
  const hide = fileURLToPath(new URL('../key-services/support/hide-packages.ts', import.meta.url))
  const environment = await environmentOf({ AUTHCONN_KEK: kek, NODE_OPTIONS: `--import=${hide}` })
  const { code, stderr } = await runServer(['start', '--port', '0'], environment)
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(advice) })
  expect(stderr).toContain(`${scheme}:…, whose client is not installed`)
})

test('loads no client of a key service whose key is not named', async () => {
  const hide = fileURLToPath(new URL('../key-services/support/hide-packages.ts', import.meta.url))
  const service = await fakeTransit()
  const environment = await environmentOf({
    AUTHCONN_KEK: service.kek,
    AUTHCONN_TRANSIT_TOKEN: 'hvs.the-token',
    NODE_OPTIONS: `--import=${hide}`,
  })
  const vault = await startVaultProcess(environment)
  expect((await vault.call('listConnections')).status).toBe(200)
})

function operatorKey({ AUTHCONN_DATA_DIR }: Environment): string {
  return JSON.parse(readFileSync(join(AUTHCONN_DATA_DIR, 'operator.json'), 'utf8')).api_key
}
