import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { seal } from '../../src/core/crypto/envelope.ts'
import { places } from '../../src/core/crypto/places.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

describeEachDatabase('the sealed columns', (database) => {
  const stores = useStores(database)

  test('are all known: the database reads from each value with which data key it was sealed', async () => {
    const { rows } = await sql<{ name: string }>`
      select format('%s.%s', conrelid::regclass, attname) as name
      from pg_constraint
      join pg_attribute on attrelid = conrelid and attnum = conkey[1] and attgenerated = 's'
      where contype = 'f' and confrelid = 'data_keys'::regclass
        and exists (select from pg_index where indrelid = conrelid and indkey[0] = conkey[1])`.execute(stores.db)
    const expected = Object.values(places).map(({ table, column }) => `${table}.${column}_data_key`)
    expect(rows.map(({ name }) => name).sort()).toEqual(expected.sort())
  })

  test('keep the data key that something is sealed with from being deleted', async () => {
    const connection = await stores.newConnection()
    const { rows } = await sql<{ id: string }>`
      select client_secret_data_key as id from connections where id = ${connection.id}`.execute(stores.db)
    const [dataKey] = rows
    expect(dataKey?.id).toMatch(/^[0-9a-f-]{36}$/)
    await expect(
      stores.db
        .deleteFrom('data_keys')
        .where('id', '=', dataKey?.id ?? '')
        .execute(),
    ).rejects.toMatchObject({ code: '23503' })
  })

  test('take nothing that is sealed with a data key that is not there', async () => {
    const connection = await stores.newConnection()
    const { id } = await stores.ensureGrant(connection)
    const place = places.accessToken({ id, workspaceId: connection.workspaceId })
    const stray = seal(place, { id: randomUUID(), bytes: randomBytes(32) }, Buffer.from('token'))
    const write = (value: Uint8Array) =>
      stores.db.updateTable('grants').set({ access_token: value }).where('id', '=', id).execute()
    await expect(write(stray)).rejects.toMatchObject({ code: '23503' })
    await write(await stores.keyring.seal(place, new Secret('token')))
  })
})
