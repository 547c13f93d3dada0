import { randomBytes } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { expect, test } from 'vitest'
import type { Tables } from '../../src/adapters/postgres/database.ts'
import { createTokenLookup, UnreadableFacts } from '../../src/adapters/postgres/look-up-tokens.ts'
import type { Caller } from '../../src/core/ports.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

describeEachDatabase('looking up many tokens at once', (database) => {
  const stores = useStores(database)

  async function newCaller(given: Partial<Caller> = {}) {
    const keyHash = randomBytes(32)
    const row = { ...stores.admin, id: crypto.randomUUID(), name: `caller-${randomBytes(4).toString('hex')}` }
    const caller = await stores.callers.insert({ ...row, addresses: null, ...given }, keyHash)
    if (!caller) throw new Error('the name is taken')
    return { caller, keyHash: keyHash.toString('hex') }
  }
  const question = (keyHash: string, given: object = {}) => ({
    keyHash,
    connection: 'none',
    subject: '',
    address: '192.0.2.7',
    ...given,
  })

  test('gives each question its own answer, whatever is asked together with it', async () => {
    const lookUp = createTokenLookup(stores.db)
    const callers = await Promise.all(Array.from({ length: 5 }, () => newCaller()))
    const connections = await Promise.all(Array.from({ length: 3 }, () => stores.newConnection()))
    const expected = []
    for (const connection of connections) {
      for (const subject of ['', 'alice', 'bob']) {
        const grant = await stores.newActiveGrant(connection, { expiresIn: 3600 }, subject)
        for (const { caller, keyHash } of callers) {
          expected.push({ asked: question(keyHash, { connection: connection.name, subject }), caller, grant })
        }
      }
    }
    const shuffled = expected.sort(() => Math.random() - 0.5)
    const nobody = question(randomBytes(32).toString('hex'), { connection: connections[0]?.name })
    const sights = await lookUp([nobody, ...shuffled.map(({ asked }) => asked), nobody])
    expect(sights[0]?.caller).toBeUndefined()
    expect(sights.at(-1)).not.toHaveProperty('grant')
    for (const [index, { caller, grant }] of shuffled.entries()) {
      const sight = sights[index + 1]
      expect(sight?.caller?.id).toBe(caller.id)
      expect(sight?.grant).toMatchObject({ id: grant.id, subject: grant.subject, accessToken: grant.accessToken })
      // Nobody sees a refresh token who may not.
      expect(sight?.grant).toMatchObject({ refreshToken: null, refreshable: true })
    }
  })

  test('finds a caller that is revoked, expired or elsewhere for what it is', async () => {
    const lookUp = createTokenLookup(stores.db)
    const [live, revoked, expired, bound] = await Promise.all([
      newCaller(),
      newCaller(),
      newCaller({ expiresAt: new Date(Date.now() - 1000) }),
      newCaller({ addresses: ['10.0.0.0/8'] }),
    ])
    await stores.callers.revoke(stores.admin.workspaceId, revoked.caller.id)
    const sights = await lookUp([
      ...[live, revoked, expired, bound].map(({ keyHash }) => question(keyHash)),
      question(bound.keyHash, { address: '10.1.2.3' }),
      question(bound.keyHash, { address: null }),
    ])
    expect(sights.map(({ caller, atHome }) => [caller !== undefined, atHome])).toEqual([
      [true, true],
      [false, undefined],
      [false, undefined],
      [true, false],
      [true, true],
      [true, false],
    ])
  })

  test('reads a refresh token for a caller that may see it, and a connection that is deleted not at all', async () => {
    const lookUp = createTokenLookup(stores.db)
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 3600 })
    const { keyHash } = await newCaller({ permissions: ['token:read', 'refresh_token:read'] })
    const asked = question(keyHash, { connection: connection.name })
    expect((await lookUp([asked]))[0]?.grant?.refreshToken).toEqual(grant.refreshToken)
    await stores.connections.markDeleted(connection.id)
    expect((await lookUp([asked]))[0]).not.toHaveProperty('connectionId')
  })

  test('reads every fact of a caller and a grant as their own stores do', async () => {
    const lookUp = createTokenLookup(stores.db)
    const past = sql<Date>`date_trunc('milliseconds', now() - interval '1 day')`
    const callers = await Promise.all([
      newCaller(),
      newCaller({ connections: ['a-*', 'b'], subjects: [], permissions: [] }),
      newCaller({ subjects: ['with, comma', '{"quoted"}', 'ünïcödé 🗝', '*'] }),
    ])
    await stores.db
      .updateTable('callers')
      .set({ last_used_at: past })
      .where('id', '=', callers[2]?.caller.id ?? '')
      .execute()
    const connection = await stores.newConnection()
    const subjects = ['', 'an end', 'trouble', 'ünïcödé, "{🗝}"']
    const grants = await Promise.all(
      subjects.map((subject) =>
        stores.newActiveGrant(connection, { expiresIn: subject === '' ? null : 3600, refresh: false }, subject),
      ),
    )
    const pending = await stores.ensureGrant(connection, 'pending')
    // The driver cuts off microseconds, the lookup rounds them: they are no part of what is compared.
    await stores.db
      .updateTable('grants')
      .set({ expires_at: sql<Date>`date_trunc('milliseconds', expires_at)` })
      .execute()
    await stores.db
      .updateTable('grants')
      .set({ expiry_assumed: true, scope: 'a b\tc\n\u001fd', token_type: 'odd\u001ftype', last_used_at: past })
      .where('id', '=', grants[1]?.id ?? '')
      .execute()
    await stores.db
      .updateTable('grants')
      .set({
        ...{
          blocked: true,
          retry_at: sql<Date>`date_trunc('milliseconds', now() + interval '7 seconds')`,
          rejections: 3,
          last_refreshed_at: past,
        },
        last_error: JSON.stringify({
          code: 'provider_unavailable',
          class: 'transient',
          detail: 'x\ny',
          at: 'then',
        }),
      })
      .where('id', '=', grants[2]?.id ?? '')
      .execute()
    for (const { caller, keyHash } of callers) {
      const live = await stores.callers.findLive(Buffer.from(keyHash, 'hex'), null)
      const asked = [...subjects, 'pending'].map((subject) =>
        question(keyHash, { connection: connection.name, subject }),
      )
      const sights = await lookUp(asked)
      for (const [n, sight] of sights.entries()) {
        expect(live?.caller).toMatchObject({ ...sight.caller, id: caller.id })
        expect(sight.connectionId).toBe(connection.id)
        const found = await stores.grants.findById(grants[n]?.id ?? pending.id)
        if (!found || !sight.grant) throw new Error('there is no grant')
        expect(found.grant).toMatchObject(sight.grant)
        expect(Object.keys(sight.grant)).toHaveLength(19)
        expect(Math.abs(found.now.getTime() - sight.now.getTime())).toBeLessThan(5000)
      }
    }
  })

  test('sees each change of a caller with the next look', async () => {
    const lookUp = createTokenLookup(stores.db)
    const { caller, keyHash } = await newCaller({ permissions: ['token:read', 'connection:manage'] })
    const asked = [question(keyHash)]
    expect((await lookUp(asked))[0]?.caller?.permissions).toEqual(['token:read', 'connection:manage'])
    await stores.db
      .updateTable('callers')
      .set({ permissions: ['token:read'] })
      .where('id', '=', caller.id)
      .execute()
    expect((await lookUp(asked))[0]?.caller?.permissions).toEqual(['token:read'])
    await stores.callers.revoke(stores.admin.workspaceId, caller.id)
    expect((await lookUp(asked))[0]?.caller).toBeUndefined()
  })

  test('reads nothing out of texts with more or fewer parts than there should be', async () => {
    const lookUp = createTokenLookup(stores.db)
    const { keyHash } = await newCaller({ subjects: ['one\u001f*'] })
    await expect(lookUp([question(keyHash)])).rejects.toThrow(UnreadableFacts)
  })

  test('reads one row of each table for each question, also where a table is small enough to be read as a whole', async () => {
    const callers = await Promise.all(Array.from({ length: 30 }, () => newCaller()))
    await sql`vacuum analyze`.execute(stores.db)
    const connection = await stores.newConnection()
    await stores.newActiveGrant(connection, { expiresIn: 3600 })
    const asked = callers.map(({ keyHash }) => question(keyHash, { connection: connection.name }))
    await stores.db.transaction().execute(async (transaction) => {
      const before = await rowsRead(transaction)
      const sights = await createTokenLookup(transaction)(asked)
      expect(sights.every(({ grant }) => grant !== undefined)).toBe(true)
      const after = await rowsRead(transaction)
      const read = Object.entries(after).map(([table, count]) => [table, count - (before[table] ?? 0)])
      expect(Object.fromEntries(read)).toEqual({ caller_keys: 30, callers: 30, connections: 30, grants: 30 })
    })
  })

  test('reads one grant for each question, also where one connection has far more of them than the others', async () => {
    const { keyHash } = await newCaller()
    const popular = await stores.newConnection()
    await addGrants([popular.id], 3000)
    const others = await Promise.all(Array.from({ length: 100 }, () => stores.newConnection()))
    await addGrants(
      others.map(({ id }) => id),
      20,
    )
    await sql`analyze grants, connections, callers, caller_keys`.execute(stores.db)
    const asked = Array.from({ length: 16 }, (_, n) =>
      question(keyHash, { connection: popular.name, subject: `user-${n + 1}` }),
    )
    await stores.db.transaction().execute(async (transaction) => {
      const before = await rowsRead(transaction)
      const sights = await createTokenLookup(transaction)(asked)
      expect(sights.map(({ grant }) => grant?.subject)).toEqual(asked.map(({ subject }) => subject))
      const after = await rowsRead(transaction)
      expect((after.grants ?? 0) - (before.grants ?? 0)).toBe(16)
    })
  })

  const addGrants = (connectionIds: string[], count: number) =>
    sql`insert into grants (id, workspace_id, connection_id, subject, status)
      select gen_random_uuid(), ${stores.admin.workspaceId}, id, 'user-' || n, 'pending'
      from unnest(${connectionIds}::uuid[]) as id, generate_series(1, ${count}::int) as n`.execute(stores.db)

  /** How many rows this transaction has had to look at, by table. */
  async function rowsRead(transaction: Transaction<Tables>): Promise<Record<string, number>> {
    const { rows } = await sql<{ relname: string; count: number }>`
      select relname, (seq_tup_read + idx_tup_fetch)::int as count from pg_stat_xact_user_tables
      where relname in ('caller_keys', 'callers', 'connections', 'grants')`.execute(transaction)
    return Object.fromEntries(rows.map(({ relname, count }) => [relname, count]))
  }
})
