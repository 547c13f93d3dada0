import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { places } from '../../src/core/crypto/places.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useRotation } from '../support/rotation.ts'

describeEachDatabase('a former data key', (database) => {
  const { stores, tools, fillEveryColumn, read } = useRotation(database)
  const count = async () => (await tools().status()).dataKeys.former

  test('stays while something is sealed with it, then for its time, and goes only then', async () => {
    await fillEveryColumn()
    await tools().rotateDataKeys()
    const { keys, reseal } = tools()
    await keys.dropUnused(0)
    expect(await count()).toBeGreaterThan(0)
    await reseal()
    const former = await count()
    expect(await keys.dropUnused(600)).toEqual({ dropped: 0, waiting: former })
    expect(await count()).toBe(former)
    await sql`update data_keys set unused_since = unused_since - interval '601 seconds'`.execute(stores.db)
    expect(await keys.dropUnused(600)).toEqual({ dropped: former, waiting: 0 })
    expect(await count()).toBe(0)
    expect(await tools().verify()).toMatchObject({ damagedKeys: [], damagedValues: [] })
  })

  test('stays when a process that was late has used it again, and its time begins anew', async () => {
    const { rows, workspaceId } = await fillEveryColumn()
    await tools().rotateDataKeys()
    const { keys, reseal } = tools()
    await reseal()
    await keys.dropUnused(600)
    await sql`update data_keys set unused_since = unused_since - interval '601 seconds'`.execute(stores.db)
    const place = places.accessToken({ id: rows.accessToken, workspaceId })
    const late = await stores.keyring.seal(place, new Secret('late'))
    await stores.db.updateTable('grants').set({ access_token: late }).where('id', '=', rows.accessToken).execute()
    await keys.dropUnused(600)
    expect((await read('accessToken', rows.accessToken)).secret).toBe('late')
    await reseal()
    const former = await count()
    expect(await keys.dropUnused(600)).toEqual({ dropped: 0, waiting: former })
    expect((await read('accessToken', rows.accessToken)).secret).toBe('late')
  })

  test('stays while there is a value in its workspace of which nobody knows what it was sealed with', async () => {
    const { rows } = await fillEveryColumn()
    await tools().rotateDataKeys()
    await tools().reseal()
    const { rows: kept } = await sql<{ tokens: Uint8Array }>`
      select tokens from revocations where id = ${rows.revocationTokens}`.execute(stores.db)
    await sql`update revocations set tokens = set_byte(tokens, 0, 77) where id = ${rows.revocationTokens}`.execute(
      stores.db,
    )
    const former = await count()
    await tools().keys.dropUnused(0)
    expect(await tools().keys.dropUnused(-1)).toEqual({ dropped: 0, waiting: former })
    const mended = { tokens: kept[0]?.tokens ?? Buffer.of() }
    await stores.db.updateTable('revocations').set(mended).where('id', '=', rows.revocationTokens).execute()
    expect(await tools().keys.dropUnused(-1)).toEqual({ dropped: former, waiting: 0 })
  })

  test('that is gone is refused by the database, and what must not be lost is sealed again', async () => {
    const { connection, grant } = await fillEveryColumn()
    const late = stores.keyring
    const place = places.accessToken(grant)
    await late.prepare(connection.workspaceId)
    await tools().rotateDataKeys()
    await tools().reseal()
    await tools().keys.dropUnused(-1)
    expect(await tools().keys.dropUnused(-1)).toMatchObject({ waiting: 0 })
    const sealed = await late.seal(place, new Secret('stale'))
    const set = { access_token: sealed }
    await expect(
      stores.db.updateTable('grants').set(set).where('id', '=', grant.id).execute(),
    ).rejects.toMatchObject({ code: '23503' })
    late.distrust(connection.workspaceId)
    const again = await late.seal(place, new Secret('stale'))
    await stores.db.updateTable('grants').set({ access_token: again }).where('id', '=', grant.id).execute()
    expect((await read('accessToken', grant.id)).secret).toBe('stale')
  })
})
