import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { arrayText, bytesArrayText } from '../../src/adapters/postgres/array-text.ts'
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
  'tab\tand\u001funit',
  'ünïcödé 🗝',
]

describeEachDatabase('the text of an array', (database) => {
  const stores = useStores(database)

  test('brings each text as it is, whatever would end or escape an element', async () => {
    const { rows } = await sql<{ texts: string[] }>`select ${arrayText(texts)}::text[] as texts`.execute(stores.db)
    expect(rows[0]?.texts).toEqual(texts)
  })

  test('brings numbers as they are', async () => {
    const numbers = [0, -1, 1764115200123, 0.5]
    const { rows } = await sql<{ numbers: number[] }>`select ${arrayText(numbers)}::float8[] as numbers`.execute(
      stores.db,
    )
    expect(rows[0]?.numbers).toEqual(numbers)
  })

  test('brings bytes, which it is given in hex', async () => {
    const whole = Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n))
    const hexes = [whole, whole.subarray(10, 20), Buffer.of()].map((bytes) => bytes.toString('hex'))
    const { rows } = await sql<{ hex: string[] }>`select array(select encode(b, 'hex')
      from unnest(${bytesArrayText(hexes)}::bytea[]) as b) as hex`.execute(stores.db)
    expect(rows[0]?.hex).toEqual(hexes)
  })

  test('is that of an empty array when there is nothing', () => {
    expect(arrayText([])).toBe('{}')
    expect(bytesArrayText([])).toBe('{}')
  })
})
