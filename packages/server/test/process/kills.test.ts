import { browse, startSandbox } from '@authconn/sandbox'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { temporaryDatabase } from '../support/temporary-database.ts'
import { startVaultProcess, temporaryDirectory } from '../support/vault-process.ts'

type Vault = Awaited<ReturnType<typeof startVaultProcess>>

/** Milliseconds that the provider takes for tokens and for revocations. */
const providerMs = 200

async function begin(vault: Vault, name: string) {
  const started = await vault.call('startAuthorization', {
    params: { name },
    body: { scopes: ['openid', 'email'], redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  expect(started.status).toBe(201)
  const { redirectedUrl } = await browse(started.body.authorization_url)
  return { params: { id: started.body.id as string }, body: { redirected_url: redirectedUrl } }
}

async function token(vault: Vault, name: string): Promise<string> {
  const { status, body } = await vault.call('getToken', { params: { name } })
  return status === 200 ? body.access_token : body.code
}

describe('a kill', { timeout: 180_000 }, () => {
  test('at any moment of an authorization or a revocation leaves each grant as it was or as it was to be', async () => {
    const database = temporaryDatabase(inject('postgresUrl'))
    await database.create()
    onTestFinished(database.drop)
    const sandbox = await startSandbox({ signingAlg: 'ES256' })
    onTestFinished(sandbox.stop)
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), DATABASE_URL: database.url }
    const { client_id, client_secret } = sandbox.client
    const works = async (accessToken: string) => {
      const headers = { authorization: `Bearer ${accessToken}` }
      return (await fetch(new URL('/userinfo', sandbox.issuer), { headers })).status === 200
    }
    const outcomes = new Set<string>()

    let vault = await startVaultProcess(env)
    for (const [round, killAfter] of [0, 15, 60, 150, 210, 240, 300, 450, 3000].entries()) {
      const [fresh, again, ending] = [`fresh-${round}`, `again-${round}`, `ending-${round}`]
      for (const name of [fresh, again, ending]) {
        const body = { name, provider_url: sandbox.issuer, client_id, client_secret }
        expect((await vault.call('createConnection', { body })).status).toBe(201)
      }
      for (const name of [again, ending]) await vault.call('completeAuthorization', await begin(vault, name))
      const before = { again: await token(vault, again), ending: await token(vault, ending) }
      const callbacks = [await begin(vault, fresh), await begin(vault, again)]

      sandbox.faults.set('token', { kind: 'slow', delayMs: providerMs })
      sandbox.faults.set('revocation', { kind: 'slow', delayMs: providerMs })
      const underWay = Promise.allSettled([
        ...callbacks.map((callback) => vault.call('completeAuthorization', callback)),
        vault.call('revokeGrant', { params: { name: ending }, body: {} }),
      ])
      await new Promise((resolve) => setTimeout(resolve, killAfter))
      await vault.end('SIGKILL')
      await underWay
      sandbox.faults.clear()

      vault = await startVaultProcess(env)
      const after = {
        fresh: await token(vault, fresh),
        again: await token(vault, again),
        ending: await token(vault, ending),
      }
      const what = `killed after ${killAfter} ms: ${JSON.stringify(after)}`
      const isAuthorized = after.fresh !== 'grant_pending'
      if (isAuthorized) expect(await works(after.fresh), what).toBe(true)
      expect(await works(after.again), what).toBe(true)
      const isRevoked = after.ending === 'grant_revoked'
      if (!isRevoked) expect(after.ending, what).toBe(before.ending)
      const { body } = await vault.call('getConnection', { params: { name: ending } })
      expect(body.status, what).toBe(isRevoked ? 'revoked' : 'active')
      outcomes.add(isAuthorized ? 'authorized' : 'not authorized')
      outcomes.add(after.again === before.again ? 'old tokens' : 'new tokens')
      outcomes.add(isRevoked ? 'revoked' : 'not revoked')
    }
    // That the kills came before and after, and not always at the same side.
    expect([...outcomes].sort()).toEqual(
      ['authorized', 'new tokens', 'not authorized', 'not revoked', 'old tokens', 'revoked'].sort(),
    )
  })
})
