import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet, useReplicas } from '../support/replicas.ts'

// The refresh protocol where "refresh" is to ask again with what the connection itself holds.

describeEachDatabase('a grant that needs nobody’s consent', (database) => {
  const { stores, provider, replica, stored, passTime, eventsOf } = useReplicas(database)
  const never = new AbortController().signal
  /** Such answers bring no refresh token. */
  const tokens = (name: string, expiresIn?: number) => ({
    ...exampleTokenSet(name, expiresIn),
    refreshToken: null,
  })
  const text = async (token: Promise<{ accessToken: { reveal(): string } }>) => (await token).accessToken.reveal()
  const refused = (oauthError: string, kind: ProviderFailure['kind'] = 'unrecognized') =>
    Promise.reject(new ProviderFailure(kind, oauthError, { oauthError }))

  test('gets its first token once, for all who ask at once on all replicas', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => {
      await sleep(150)
      return tokens('first')
    }
    const replicas = [replica(), replica(), replica()]
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => replicas[n % 3]?.issueToken(name)))
    expect(provider.calls).toEqual(['for itself'])
    expect(new Set(answers.map((token) => token?.accessToken.reveal()))).toEqual(new Set(['first access token']))
    expect(await stored(name)).toMatchObject({
      status: 'active',
      refreshable: true,
      refreshToken: null,
      generation: 1,
    })
  })

  test('is renewed ahead of its end by the sweeper, behind the answers', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => tokens('first')
    await replica().issueToken(name)
    const { refreshDueAt, expiresAt } = await stored(name)
    expect(refreshDueAt?.getTime()).toBeLessThan(expiresAt?.getTime() ?? 0)
    await passTime(name)
    provider.answer = async () => tokens('second')
    const sweeper = replica()
    await sweeper.sweepDueGrants(never)
    await Promise.all(sweeper.background)
    expect(await text(replica().issueToken(name))).toBe('second access token')
    expect(provider.calls).toHaveLength(2)
    expect(await eventsOf(name)).toEqual(['grant.refreshed', 'grant.refreshed'])
  })

  test('that nobody uses is left alone, and is renewed when somebody does', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => tokens('first', 120)
    await replica().issueToken(name)
    await passTime(name)
    const longAgo = new Date(Date.now() - 3_600_000)
    await stores.db
      .updateTable('grants')
      .set({ last_used_at: longAgo, expires_at: longAgo })
      .where('id', '=', (await stored(name)).id)
      .execute()
    const sweeper = replica({ unusedAfter: 60 })
    await sweeper.sweepDueGrants(never)
    await Promise.all(sweeper.background)
    expect(provider.calls).toHaveLength(1)
    expect(await stored(name)).toMatchObject({ refreshDueAt: null, status: 'active' })
    provider.answer = async () => tokens('second')
    expect(await text(replica().issueToken(name))).toBe('second access token')
  })

  test('whose first token a process died over is fetched by another', async () => {
    const connection = await stores.newClientCredentials()
    const { id } = await stores.ensureGrant(connection)
    await stores.grants.takeLease({ grantId: id, generation: 0, owner: 'dead' }, 1, { failures: 0 })
    provider.answer = async () => tokens('first')
    expect(await text(replica().issueToken(connection.name))).toBe('first access token')
    expect(provider.calls).toEqual(['for itself'])
  })

  test('is never expired by a refusal, however often and by whatever name it comes', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => tokens('first')
    await replica().issueToken(name)
    for (let n = 0; n < 12; n++) {
      provider.answer = () => refused('nobody_knows_this')
      await passTime(name)
      await replica()
        .refreshGrant(await connectionOf(name), await stored(name))
        .catch(() => undefined)
    }
    expect(await stored(name)).toMatchObject({ status: 'active', unrecognizedCount: 12, blocked: false })
    expect(await text(replica().issueToken(name))).toBe('first access token')
    expect(await eventsOf(name)).not.toContain('grant.expired')
  })

  test.each([
    ['invalid_grant', 'invalid_grant'],
    ['invalid_scope', 'unrecognized'],
    ['invalid_target', 'unrecognized'],
    ['unauthorized_client', 'client'],
  ] as const)('refused with %s waits for somebody to mend that', async (oauthError, kind) => {
    const { name } = await stores.newClientCredentials()
    provider.answer = () => refused(oauthError, kind)
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'token_request_rejected' })
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'token_request_rejected' })
    expect(provider.calls).toHaveLength(1)
    expect(await stored(name)).toMatchObject({ blocked: true, status: 'active', refreshDueAt: null })
    provider.answer = async () => tokens('first')
    expect((await replica().createGrant(name)).grant).toMatchObject({ failureCount: 0, blocked: false })
    expect(await text(replica().issueToken(name))).toBe('first access token')
  })

  test('revoked during its first fetch stays revoked, and its token is given back', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => {
      await stores.grants.revoke(await stored(name), null)
      return tokens('first')
    }
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'grant_revoked' })
    expect(provider.givenBack).toEqual(['first access token'])
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'grant_revoked' })
    provider.answer = async () => tokens('second')
    await replica().createGrant(name)
    expect(await text(replica().issueToken(name))).toBe('second access token')
  })

  test('authorized again while somebody refreshes it gets that one’s token', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => {
      await sleep(300)
      return tokens('first')
    }
    const first = replica().issueToken(name)
    await sleep(100)
    await replica().createGrant(name)
    expect(await text(first)).toBe('first access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('keeps for each subject a token of its own, once somebody has authorized it', async () => {
    const assertion = { issuer: 'i', subject: null, audience: 'a', scope_claim: true, lifetime: 120 }
    const tokenRequest = { scopes: [], audience: null, resource: [], assertion }
    const { name } = await stores.newConnection({ grantType: 'jwt_bearer', tokenRequest })
    provider.answer = async () => tokens('first')
    await expect(replica().issueToken(name, { subject: 'alice' })).rejects.toMatchObject({ code: 'grant_pending' })
    await replica().createGrant(name, 'alice')
    await replica().issueToken(name, { subject: 'alice' })
    await replica().issueToken(name)
    expect(provider.calls).toEqual(['for alice', 'for itself'])
  })

  test('keeps what answers say of it, and what they leave out as it was', async () => {
    const { name } = await stores.newClientCredentials()
    provider.answer = async () => ({
      ...tokens('first'),
      metadata: { instance_url: 'https://a.example', id: '1' },
    })
    await replica().issueToken(name)
    await passTime(name)
    provider.answer = async () => ({ ...tokens('second'), metadata: { instance_url: 'https://b.example' } })
    await replica().refreshGrant(await connectionOf(name), await stored(name))
    expect((await stored(name)).metadata).toEqual({ instance_url: 'https://b.example', id: '1' })
  })

  async function connectionOf(name: string) {
    const found = await stores.connections.find(stores.admin.workspaceId, name)
    if (!found) throw new Error('no connection')
    return found.connection
  }
})
