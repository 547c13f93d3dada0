import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { openAuditKey } from '../../src/adapters/postgres/audit-key.ts'
import { createSealedStore } from '../../src/adapters/postgres/sealed-store.ts'
import { createKeks, createLocalKek } from '../../src/core/crypto/key-encryption-key.ts'
import { places } from '../../src/core/crypto/places.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useRotation } from '../support/rotation.ts'

const quiet = () => {}

describeEachDatabase('the rotation of keys', (database) => {
  const { stores, tools, fillEveryColumn, read } = useRotation(database)

  test('leaves every value readable and the same, under new keys of both kinds', async () => {
    const { rows } = await fillEveryColumn()
    const { rotateDataKeys, reseal, verify } = tools()
    const before = await verify()
    expect(before).toMatchObject({ damagedKeys: [], damagedValues: [] })
    const auditKey = await openAuditKey(stores.db, stores.keks)

    const rotated = await rotateDataKeys()
    expect(rotated.made).toBeGreaterThan(0)
    const sealedBefore = await read('accessToken', rows.accessToken)
    expect(await reseal()).toMatchObject({ resealed: before.values, left: 0, damaged: [] })
    const sealedAfter = await read('accessToken', rows.accessToken)
    expect(sealedAfter.secret).toBe(sealedBefore.secret)
    expect(sealedAfter.sealed).not.toEqual(sealedBefore.sealed)

    const next = createLocalKek(randomBytes(32))
    const both = createKeks(next, [stores.keks.current])
    const { rewrapped, damaged } = await tools({ keks: both }).rotateKek(quiet)
    expect(damaged).toEqual([])
    // The data keys, of every version, and the audit log's.
    expect(rewrapped).toBe(rotated.made * 2 + 1)
    const alone = tools({ keks: createKeks(next) })
    for (const name of Object.keys(places) as (keyof typeof places)[]) {
      expect((await read(name, rows[name], alone.keyring)).secret).toBe(`the ${name}`)
    }
    expect(await alone.verify()).toMatchObject({ values: before.values, damagedKeys: [], damagedValues: [] })
    expect((await openAuditKey(stores.db, createKeks(next))).equals(auditKey)).toBe(true)
    // Back, for the others.
    await tools({ keks: createKeks(stores.keks.current, [next]) }).rotateKek(quiet)
  })

  test('changes nothing the second time', async () => {
    await fillEveryColumn()
    const { rotateDataKeys, reseal, rotateKek, status } = tools()
    await rotateDataKeys()
    await reseal()
    const done = await status()
    expect(await rotateDataKeys(3600)).toMatchObject({ made: 0, left: done.dataKeys.workspaces })
    expect(await reseal()).toEqual({ resealed: 0, left: 0, damaged: [] })
    expect(await rotateKek(quiet)).toEqual({ kekId: stores.keks.current.id, rewrapped: 0, damaged: [] })
    expect(await status()).toEqual(done)
  })

  test('is the same when three run at once: one new data key each, and every value sealed again once', async () => {
    for (let n = 0; n < 10; n++) await fillEveryColumn()
    const { values } = await tools().verify()
    const runs = [tools(), tools(), tools()]
    const before = await tools().status()
    const made = await Promise.all(runs.map(({ rotateDataKeys }) => rotateDataKeys(0)))
    // Whoever came late may have seen the new key, and made one more.
    const sum = made.reduce((all, each) => all + each.made, 0)
    const after = await tools().status()
    expect(after.dataKeys.former - before.dataKeys.former).toBe(sum)
    expect(await Promise.all(runs.map(({ rotateDataKeys }) => rotateDataKeys(60)))).toEqual(
      runs.map(() => ({ made: 0, left: after.dataKeys.workspaces })),
    )

    const resealed = await Promise.all(runs.map(({ reseal }) => reseal()))
    expect(resealed.reduce((all, each) => all + each.resealed, 0)).toBe(values)
    const next = createKeks(createLocalKek(randomBytes(32)), [stores.keks.current])
    const kekRuns = await Promise.all(runs.map(() => tools({ keks: next }).rotateKek(quiet)))
    const keys = await tools({ keks: next }).keys.count()
    expect(kekRuns.reduce((all, each) => all + each.rewrapped, 0)).toBe(
      keys.wrapped.reduce((all, each) => all + each.dataKeys + each.auditKeys, 0),
    )
    expect(await tools({ keks: next }).verify()).toMatchObject({ values, damagedKeys: [], damagedValues: [] })
    await tools({ keks: createKeks(stores.keks.current, [next.current]) }).rotateKek(quiet)
  })

  test('leaves what somebody writes between its reading and its writing as they wrote it', async () => {
    const { rows, workspaceId } = await fillEveryColumn()
    const stale = stores.keyring
    await tools().rotateDataKeys()
    let written: Uint8Array | undefined
    const { reseal } = tools({
      values: {
        // By a process that still seals with the former data key.
        async replace(column, changes) {
          if (column.column === 'refresh_token' && !written) {
            const place = places.refreshToken({ id: rows.refreshToken, workspaceId })
            written = await stale.seal(place, new Secret('rotated meanwhile'))
            const set = { refresh_token: written }
            await stores.db.updateTable('grants').set(set).where('id', '=', rows.refreshToken).execute()
          }
          return createSealedStore(stores.db).replace(column, changes)
        },
      },
    })
    expect(await reseal()).toMatchObject({ left: 0, damaged: [] })
    const now = await read('refreshToken', rows.refreshToken)
    expect(now.secret).toBe('rotated meanwhile')
    expect(now.sealed).not.toEqual(written)
    expect(await tools().values.countFormer()).toBe(0)
  })

  test('reads no row that is sealed with the newest data key', async () => {
    await fillEveryColumn()
    await tools().rotateDataKeys()
    await tools().reseal()
    let read = 0
    const { reseal } = tools({
      values: {
        listSealedWith: async () => {
          read++
          return []
        },
      },
    })
    await reseal()
    expect(read).toBe(0)
  })

  test('finds every damage by its row, says nothing of what is in it, and goes on with the others', async () => {
    const { rows, workspaceId, connection } = await fillEveryColumn()
    const other = await fillEveryColumn()
    const moved = await createSealedStore(stores.db).find(places.accessToken, other.rows.accessToken)
    await stores.db
      .updateTable('grants')
      .set({ access_token: moved?.sealed ?? null })
      .where('id', '=', rows.accessToken)
      .execute()
    await sql`update connections set client_secret = set_byte(client_secret, length(client_secret) - 1,
      get_byte(client_secret, length(client_secret) - 1) # 1) where id = ${connection.id}`.execute(stores.db)
    await sql`update revocations set tokens = 'no sealed value' where id = ${rows.revocationTokens}`.execute(
      stores.db,
    )
    const { verify, reseal, rotateDataKeys } = tools()
    const { damagedValues, damagedKeys } = await verify()
    expect(damagedKeys).toEqual([])
    const found = damagedValues.map(({ table, column, row }) => `${table}.${column} ${row}`).sort()
    expect(found).toEqual(
      [
        `connections.client_secret ${connection.id}`,
        `grants.access_token ${rows.accessToken}`,
        `revocations.tokens ${rows.revocationTokens}`,
      ].sort(),
    )
    for (const damage of damagedValues) {
      expect(damage.workspaceId).toBe(workspaceId)
      expect(damage.reason).not.toMatch(/the (clientSecret|accessToken|revocationTokens)/)
    }
    await rotateDataKeys()
    const { damaged, left } = await reseal()
    expect(damaged.map(({ row }) => row).sort()).toEqual([connection.id, rows.accessToken].sort())
    expect(left).toBe(0)
    expect((await tools().verify()).damagedValues).toHaveLength(3)
    // Mended, for the others.
    await sql`update connections set client_secret = former_client_secret where id = ${connection.id}`.execute(
      stores.db,
    )
    await stores.db.deleteFrom('revocations').where('id', '=', rows.revocationTokens).execute()
    await stores.db.updateTable('grants').set({ access_token: null }).where('id', '=', rows.accessToken).execute()
    const mended = places.clientSecret({ id: connection.id, workspaceId })
    const sealed = await stores.keyring.seal(mended, new Secret('mended'))
    await stores.db
      .updateTable('connections')
      .set({ client_secret: sealed })
      .where('id', '=', connection.id)
      .execute()
    await tools().reseal()
    expect(await tools().verify()).toMatchObject({ damagedKeys: [], damagedValues: [] })
  })

  test('finds a damaged data key, with all that is sealed with it, and rotates the others', async () => {
    const { rows } = await fillEveryColumn()
    await tools().rotateDataKeys()
    await tools().reseal()
    await tools().keys.dropUnused(0)
    const { rows: keys } = await sql<{ id: string; wrapped: Uint8Array }>`
      select access_token_data_key as id, wrapped from grants join data_keys on data_keys.id = access_token_data_key
      where grants.id = ${rows.accessToken}`.execute(stores.db)
    const [key] = keys
    const id = key?.id ?? ''
    await sql`update data_keys set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) where id = ${id}`.execute(
      stores.db,
    )
    const { damagedKeys, damagedValues } = await tools().verify()
    expect(damagedKeys).toMatchObject([{ kind: 'data', id }])
    expect(damagedValues.map(({ row }) => row)).toContain(rows.accessToken)
    const next = createKeks(createLocalKek(randomBytes(32)), [stores.keks.current])
    const { rewrapped, damaged } = await tools({ keks: next }).rotateKek(quiet)
    expect(damaged).toMatchObject([{ id }])
    expect(rewrapped).toBeGreaterThan(0)
    await stores.db
      .updateTable('data_keys')
      .set({ wrapped: key?.wrapped ?? Buffer.of() })
      .where('id', '=', id)
      .execute()
    await tools({ keks: createKeks(stores.keks.current, [next.current]) }).rotateKek(quiet)
    expect(await tools().verify()).toMatchObject({ damagedKeys: [], damagedValues: [] })
  })

  test('rotates the workspace that it is told, and knows none that is not there', async () => {
    const before = await tools().status()
    expect(await tools().rotateDataKeys(0, 'default')).toEqual({ made: 1, left: 0 })
    expect((await tools().status()).dataKeys.former).toBe(before.dataKeys.former + 1)
    await expect(tools().rotateDataKeys(0, 'nowhere')).rejects.toMatchObject({ code: 'workspace_not_found' })
  })

  test('refuses to wrap anew what was wrapped by a key that is not given, and says which', async () => {
    const stranger = createKeks(createLocalKek(randomBytes(32)))
    await expect(tools({ keks: stranger }).rotateKek(quiet)).rejects.toMatchObject({
      code: 'key_encryption_key_wrong',
      message: expect.stringContaining(stores.keks.current.id),
    })
    expect(await tools().keys.countWrapped(stores.keks.current.id)).toBe(0)
  })
})
