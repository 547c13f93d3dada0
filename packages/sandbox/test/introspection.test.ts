import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Fault, type Sandbox, type SandboxClient, startSandbox } from '../src/index.ts'
import { createClient, readError } from './support/client.ts'

const clients = [
  { client_id: 'in-header', client_secret: 'secret-1', token_endpoint_auth_method: 'client_secret_basic' },
  { client_id: 'in-body', client_secret: 'secret-2', token_endpoint_auth_method: 'client_secret_post' },
] as const satisfies SandboxClient[]

let sandbox: Sandbox
beforeAll(async () => {
  sandbox = await startSandbox({ signingAlg: 'ES256', clients })
})
afterEach(() => sandbox.faults.clear())
afterAll(() => sandbox.stop())

function introspect(token: string, client: SandboxClient = clients[0], signal?: AbortSignal) {
  return createClient(sandbox, client).post('introspection', { token }, signal)
}

describe('introspection (RFC 7662)', () => {
  test.each(clients)('tells $client_id about its tokens, by $token_endpoint_auth_method', async (client) => {
    const clientId = client.client_id
    const { access_token } = await sandbox.mint({ clientId, account: 'bob', scope: 'api:read api:write' })
    const answer = await introspect(access_token, client)
    const now = Math.floor(Date.now() / 1000)
    const body = (await answer.json()) as Record<string, unknown>
    expect(body).toMatchObject({
      active: true,
      client_id: clientId,
      sub: 'bob',
      scope: 'api:read api:write',
      token_type: 'Bearer',
      iss: sandbox.issuer,
    })
    expect(Number(body.exp) - now).toBeGreaterThan(3590)
    expect(Number(body.exp) - now).toBeLessThanOrEqual(3600)
  })

  test('calls a token that nobody knows, that is over, or that is another client’s, not active', async () => {
    const inactive = { active: false }
    expect(await (await introspect('unknown')).json()).toEqual(inactive)
    const { access_token: others } = await sandbox.mint({ clientId: 'in-body' })
    expect(await (await introspect(others)).json()).toEqual(inactive)
    sandbox.changeSettings({ accessTokenTtl: 1 })
    const { access_token: short } = await sandbox.mint()
    sandbox.changeSettings({ accessTokenTtl: 3600 })
    await sleep(1100)
    expect(await (await introspect(short)).json()).toEqual(inactive)
  })

  test('wants the right secret', async () => {
    const answer = await introspect('any', { ...clients[0], client_secret: 'wrong' })
    expect(await readError(answer)).toEqual({ status: 401, error: 'invalid_client' })
  })
})

describe('its faults', () => {
  async function under(fault: Fault, signal?: AbortSignal) {
    const { access_token } = await sandbox.mint()
    sandbox.faults.set('introspection', fault)
    return introspect(access_token, clients[0], signal)
  }

  test.each<[Fault, number, string]>([
    [{ kind: 'status', status: 503 }, 503, ''],
    [{ kind: 'oauth_error', error: 'invalid_client' }, 401, '{"error":"invalid_client"}'],
    [{ kind: 'html' }, 200, '<!doctype html>'],
    [{ kind: 'truncated_json' }, 200, '{"active":true'],
    [{ kind: 'edit_json', set: { active: false } }, 200, '{"active":false'],
    [{ kind: 'edit_json', remove: ['active'] }, 200, '{"sub"'],
    [{ kind: 'slow', delayMs: 50 }, 200, '{"active":true'],
    [{ kind: 'huge', bytes: 1000 }, 200, '{"access_token"'],
    [{ kind: 'redirect' }, 302, ''],
  ])('%j', async (fault, status, start) => {
    const answer = await under(fault)
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(new RegExp(`^${start}`))])
  })

  test('reset and hang', async () => {
    await expect(under({ kind: 'reset' })).rejects.toThrow()
    await expect(under({ kind: 'hang' }, AbortSignal.timeout(100))).rejects.toThrow()
  })
})
