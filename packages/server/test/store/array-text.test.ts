import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { arrayText } from '../../src/adapters/postgres/array-text.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

const texts = [
  'plain',
  '',
  null,
  'null',
  'NULL',
  'a,b',
  '{}',
  '"quoted"',
  'back\\slash',
  '\\"',
  ' spaces ',
  'line\nbreak',
  'ünïcödé 🗝',
]

describeEachDatabase('the text of an array', (database) => {
  const stores = useStores(database)

  test('brings each text as it is, whatever would end or escape an element', async () => {
    const { rows } = await sql<{ texts: string[] }>`select ${arrayText(texts)}::text[] as texts`.execute(stores.db)
    expect(rows[0]?.texts).toEqual(texts)
  })

  test('brings bytes as they are, also those of a part of a buffer', async () => {
    const whole = Uint8Array.from({ length: 256 }, (_, n) => n)
    const { rows } = await sql<{ hex: string[] }>`select array(select encode(b, 'hex')
      from unnest(${arrayText([whole, whole.subarray(10, 20), new Uint8Array()])}::bytea[]) as b) as hex`.execute(
      stores.db,
    )
    expect(rows[0]?.hex).toEqual([
      Buffer.from(whole).toString('hex'),
      Buffer.from(whole.subarray(10, 20)).toString('hex'),
      '',
    ])
  })

  test('is that of an empty array when there is nothing', () => {
    expect(arrayText([])).toBe('{}')
  })
})
