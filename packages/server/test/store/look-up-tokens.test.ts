import { randomBytes } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { expect, test } from 'vitest'
import type { Tables } from '../../src/adapters/postgres/database.ts'
import { createTokenLookup } from '../../src/adapters/postgres/look-up-tokens.ts'
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
    return { caller, keyHash }
  }
  const question = (keyHash: Uint8Array, given: object = {}) => ({
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
    const nobody = question(randomBytes(32), { connection: connections[0]?.name })
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
      const before = await grantsRead(transaction)
      const sights = await createTokenLookup(transaction)(asked)
      expect(sights.map(({ grant }) => grant?.subject)).toEqual(asked.map(({ subject }) => subject))
      expect((await grantsRead(transaction)) - before).toBe(16)
    })
  })

  const addGrants = (connectionIds: string[], count: number) =>
    sql`insert into grants (id, workspace_id, connection_id, subject, status)
      select gen_random_uuid(), ${stores.admin.workspaceId}, id, 'user-' || n, 'pending'
      from unnest(${connectionIds}::uuid[]) as id, generate_series(1, ${count}::int) as n`.execute(stores.db)

  /** How many rows this transaction has had to look at. */
  async function grantsRead(transaction: Transaction<Tables>): Promise<number> {
    const { rows } = await sql<{ count: number }>`select (seq_tup_read + idx_tup_fetch)::int as count
      from pg_stat_xact_user_tables where relname = 'grants'`.execute(transaction)
    return rows[0]?.count ?? Number.NaN
  }
})
