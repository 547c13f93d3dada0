import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { createTrustStore } from '../../src/adapters/postgres/trust-store.ts'
import type { NewTrustRow, Trust, TrustStore } from '../../src/core/trust-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

describeEachDatabase('the trust store', (database) => {
  const stores = useStores(database)
  let trusts: TrustStore
  beforeAll(() => {
    trusts = createTrustStore(stores.db)
  })
  const workspace = () => stores.admin.workspaceId

  async function insert(given: Partial<NewTrustRow> = {}): Promise<Trust> {
    const trust = await trusts.insert({ ...row(), ...given })
    if (!trust) throw new Error('the name is taken')
    return trust
  }

  function row(): NewTrustRow {
    return {
      id: randomUUID(),
      workspaceId: workspace(),
      name: `trust-${randomBytes(4).toString('hex')}`,
      preset: 'kubernetes',
      issuer: 'https://cluster.example',
      audience: ['https://vault.example'],
      jwksUri: null,
      jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'abc' }] },
      algorithms: ['RS256', 'EdDSA'],
      claims: [{ claim: '/kubernetes.io/namespace', values: ['prod'] }],
      maxAge: 3600,
      singleUse: false,
      permissions: ['token:read', 'connection:read'],
      connections: ['google-*'],
      subjects: ['user-1'],
      addresses: ['10.0.0.0/8'],
      keyLifetime: 900,
      login: { client_id: 'client', scopes: ['openid'], vault_url: 'https://vault.example' },
      expiresAt: null,
    }
  }

  const issue = (trust: Trust, given: Partial<Parameters<TrustStore['issue']>[0]> = {}) =>
    trusts.issue({
      trustId: trust.id,
      tokenHash: randomBytes(32),
      mostUses: 1,
      rememberFor: 600,
      callerId: randomUUID(),
      callerName: `trust:${trust.name}`,
      identity: 'system:serviceaccount:prod:deployer',
      keyHash: randomBytes(32),
      lifetime: 900,
      ...given,
    })

  async function issued(trust: Trust, given: Partial<Parameters<TrustStore['issue']>[0]> = {}) {
    const made = await issue(trust, given)
    if (typeof made === 'string') throw new Error(made)
    return made
  }

  test('gives back what it was given, null included', async () => {
    const given = row()
    const trust = await insert(given)
    expect(trust).toMatchObject({ ...given, revokedAt: null, lastUsedAt: null })
    expect(await trusts.find(workspace(), given.name)).toEqual(trust)
    const bare = await insert({ jwks: null, login: null, preset: null, subjects: null, addresses: null })
    expect(bare).toMatchObject({ jwks: null, login: null, preset: null, subjects: null, addresses: null })
  })

  test('has one of a name, and another when that is revoked', async () => {
    const first = await insert()
    expect(await trusts.insert({ ...row(), name: first.name })).toBeUndefined()
    expect(await trusts.revoke(workspace(), first.name)).toMatchObject({
      id: first.id,
      revokedAt: expect.any(Date),
    })
    expect(await trusts.revoke(workspace(), first.name)).toBeUndefined()
    expect(await trusts.find(workspace(), first.name)).toBeUndefined()
    const second = await insert({ name: first.name })
    expect(second.id).not.toBe(first.id)
    expect((await trusts.list(workspace(), { limit: 1000, after: undefined })).map(({ id }) => id)).not.toContain(
      first.id,
    )
  })

  test('finds those of an issuer to the letter, that have not ended, and of that workspace alone', async () => {
    const issuer = `https://${randomUUID()}.example`
    const live = await insert({ issuer, name: `${randomUUID().slice(0, 8)}-live` })
    await insert({ issuer, expiresAt: new Date(Date.now() - 1000) })
    await insert({ issuer: `${issuer}/` })
    const named = async (workspaceName: string, name?: string) =>
      (await trusts.findForIssuer(workspaceName, issuer, { name, most: 10 }))?.trusts.map(({ id }) => id)
    expect(await named('default')).toEqual([live.id])
    expect(await named('default', live.name)).toEqual([live.id])
    expect(await named('default', 'another')).toEqual([])
    expect(await named('nowhere')).toBeUndefined()
  })

  test('keeps an issuer as long as the contract lets it be', async () => {
    const issuer = `https://example.com/${'é'.repeat(2000)}`
    const trust = await insert({ issuer })
    const all = { name: undefined, most: 10 }
    expect((await trusts.findForIssuer('default', issuer, all))?.trusts).toEqual([trust])
    expect((await trusts.findForIssuer('default', issuer, { ...all, most: 0 }))?.trusts).toEqual([])
  })

  test('issues a key that works and ends, with what the trust gives and no more', async () => {
    const trust = await insert()
    const keyHash = randomBytes(32)
    const { caller, expiresIn } = await issued(trust, { keyHash })
    expect(caller).toMatchObject({
      name: `trust:${trust.name}`,
      workspaceId: workspace(),
      permissions: trust.permissions,
      connections: trust.connections,
      subjects: trust.subjects,
      addresses: trust.addresses,
      trustId: trust.id,
      identity: 'system:serviceaccount:prod:deployer',
    })
    expect(expiresIn).toBeGreaterThan(890)
    expect((await stores.callers.findLive(keyHash, '10.1.1.1'))?.atHome).toBe(true)
    await stores.db
      .updateTable('callers')
      .set({ expires_at: sql<Date>`now()` })
      .where('id', '=', caller.id)
      .execute()
    expect(await stores.callers.findLive(keyHash, '10.1.1.1')).toBeUndefined()
  })

  test('lists the callers of a trust where it is asked for, newest first and page by page, and not among others', async () => {
    const trust = await insert()
    const ids: string[] = []
    for (let n = 0; n < 3; n++) ids.unshift((await issued(trust)).caller.id)
    const list = async (page: { limit: number; after: string | undefined }) =>
      (await stores.callers.listOfTrust(workspace(), trust.name, page)).map(({ id }) => id)
    expect(await list({ limit: 10, after: undefined })).toEqual(ids)
    expect(await list({ limit: 2, after: undefined })).toEqual(ids.slice(0, 2))
    expect(await list({ limit: 2, after: ids[1] })).toEqual(ids.slice(2))
    expect(await list({ limit: 2, after: 'nothing of the kind' })).toEqual([])
    const others = await stores.callers.list(workspace(), { limit: 1000, after: undefined })
    expect(others.map(({ name }) => name)).not.toContain(`trust:${trust.name}`)
  })

  test('makes nothing when a token was used before, and counts nothing when making fails', async () => {
    const trust = await insert()
    const tokenHash = randomBytes(32)
    const callerId = randomUUID()
    const { caller } = await issued(trust, { tokenHash, mostUses: 2 })
    await expect(issue(trust, { tokenHash, mostUses: 2, callerId: caller.id })).rejects.toThrow()
    await issued(trust, { tokenHash, mostUses: 2 })
    expect(await issue(trust, { tokenHash, mostUses: 2, callerId })).toBe('replayed')
    expect(await stores.callers.find(workspace(), callerId)).toBeUndefined()
  })

  test('issues nothing by a trust that is revoked or has ended', async () => {
    const revoked = await insert()
    await trusts.revoke(workspace(), revoked.name)
    expect(await issue(revoked)).toBe('over')
    expect(await issue(await insert({ expiresAt: new Date(Date.now() - 1000) }))).toBe('over')
  })

  test('notes a use once an hour', async () => {
    const trust = await insert()
    await trusts.touch(trust.id)
    const first = (await trusts.find(workspace(), trust.name))?.lastUsedAt
    await trusts.touch(trust.id)
    expect(first).toBeInstanceOf(Date)
    expect((await trusts.find(workspace(), trust.name))?.lastUsedAt).toEqual(first)
  })

  test('forgets uses of tokens when they can no longer be valid, and not before', async () => {
    const trust = await insert()
    const [over, valid] = [randomBytes(32), randomBytes(32)]
    await issued(trust, { tokenHash: over, rememberFor: -1 })
    await issued(trust, { tokenHash: valid, rememberFor: 600 })
    expect(await trusts.purgeUses()).toBeGreaterThan(0)
    expect(await issue(trust, { tokenHash: valid })).toBe('replayed')
    expect(typeof (await issue(trust, { tokenHash: over }))).toBe('object')
  })

  test('removes callers a day after their end, with their keys, and keeps those that began something still kept', async () => {
    const trust = await insert()
    const age = (id: string, column: 'expires_at' | 'revoked_at', hours: number) =>
      stores.db
        .updateTable('callers')
        .set({ [column]: sql<Date>`now() - make_interval(hours => ${hours})` })
        .where('id', '=', id)
        .execute()
    const [long, lately, revoked, began, live] = await Promise.all(
      Array.from({ length: 5 }, async () => (await issued(trust)).caller.id),
    )
    if (!long || !lately || !revoked || !began || !live) throw new Error('there are five')
    await age(long, 'expires_at', 25)
    await age(lately, 'expires_at', 23)
    await age(revoked, 'revoked_at', 25)
    await age(began, 'expires_at', 25)
    const authorization = await stores.newAuthorization(await stores.newConnection())
    await stores.db
      .updateTable('authorizations')
      .set({ caller_id: began })
      .where('id', '=', authorization)
      .execute()
    await trusts.purgeCallers()
    const { length: keys } = await stores.db
      .selectFrom('caller_keys')
      .select('caller_id')
      .where('caller_id', 'in', [long, revoked])
      .execute()
    expect(keys).toBe(0)
    const left = await stores.db.selectFrom('callers').select('id').where('trust_id', '=', trust.id).execute()
    expect(left.map(({ id }) => id).sort()).toEqual([lately, began, live].sort())
    // Those that people made stay, whatever became of them.
    expect(await stores.callers.find(workspace(), stores.admin.id)).toBeDefined()
  })
})
