import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import {
  type AddressRange,
  containsRange,
  formatAddressRange,
  parseAddressRange,
} from '../../src/core/callers/address-range.ts'
import type { Caller } from '../../src/core/ports.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { useStores } from '../support/stores.ts'

function parsed(text: string): AddressRange {
  const range = parseAddressRange(text)
  if (!range) throw new Error(`${text} is no range`)
  return range
}

describeEachDatabase('the caller store', (database) => {
  const stores = useStores(database)
  const workspace = () => stores.admin.workspaceId
  const insert = async (given: Partial<Caller> = {}, hash = randomBytes(32)) => {
    const caller = await insertIfFree(given, hash)
    if (!caller) throw new Error('the name is taken')
    return caller
  }
  const insertIfFree = (given: Partial<Caller>, hash = randomBytes(32)) =>
    stores.callers.insert(
      {
        id: crypto.randomUUID(),
        workspaceId: workspace(),
        name: `caller-${hash.toString('hex').slice(0, 8)}`,
        permissions: ['token:read'],
        connections: ['google-*'],
        subjects: [],
        addresses: null,
        expiresAt: null,
        ...given,
      },
      hash,
    )
  const isLive = async (hash: Uint8Array) => (await stores.callers.findLive(hash, null)) !== undefined
  const keysOf = (id: string) =>
    stores.db.selectFrom('caller_keys').selectAll().where('caller_id', '=', id).execute()
  /** As if all this had been so long ago. */
  const age = (id: string, seconds: number) =>
    stores.db
      .updateTable('caller_keys')
      .set({ ends_at: sql<Date>`ends_at - make_interval(secs => ${seconds})` })
      .where('caller_id', '=', id)
      .execute()

  test('finds a caller by the hash of its key', async () => {
    const hash = randomBytes(32)
    const caller = await insert({ subjects: ['user-1'], addresses: ['10.0.0.0/8'] }, hash)
    expect((await stores.callers.findLive(hash, null))?.caller).toEqual(caller)
    expect(caller).toMatchObject({
      permissions: ['token:read'],
      connections: ['google-*'],
      subjects: ['user-1'],
      addresses: ['10.0.0.0/8'],
      lastUsedAt: null,
      formerKeyUntil: null,
    })
    expect(await stores.callers.findLive(randomBytes(32), null)).toBeUndefined()
  })

  test('does not find one that is revoked or has expired, by the clock of the database', async () => {
    const revoked = randomBytes(32)
    const caller = await insert({}, revoked)
    await stores.callers.revoke(workspace(), caller.id)
    expect(await isLive(revoked)).toBe(false)
    const expired = randomBytes(32)
    await insert({ expiresAt: new Date(Date.now() - 1000) }, expired)
    expect(await isLive(expired)).toBe(false)
  })

  describe('tells whether a caller is at home', () => {
    test.each([
      [null, '192.0.2.1', true],
      [null, null, true],
      [['10.0.0.0/8'], '10.1.2.3', true],
      [['10.0.0.0/8'], '11.0.0.0', false],
      [['10.0.0.0/8'], null, false],
      [['192.0.2.7', '2001:db8::/32'], '192.0.2.7', true],
      [['192.0.2.7', '2001:db8::/32'], '2001:db8:ffff::1', true],
      [['192.0.2.7', '2001:db8::/32'], '192.0.2.8', false],
      [['::/0'], '10.0.0.1', false],
      [['0.0.0.0/0'], '10.0.0.1', true],
    ])('bound to %j and calling from %s: %s', async (addresses, from, atHome) => {
      const hash = randomBytes(32)
      await insert({ addresses }, hash)
      expect(await stores.callers.findLive(hash, from)).toMatchObject({ atHome })
    })

    test('and agrees with the vault on what each range holds that the vault has taken', async () => {
      const address = fc.oneof(fc.ipV4(), fc.ipV6())
      const pairs = fc
        .sample(fc.tuple(address, fc.nat(128), fc.nat(128)), 2000)
        .flatMap(([text, bits, flipped]) => {
          const { family, start } = parsed(text)
          const width = family === 4 ? 32 : 128
          const free = BigInt(width - Math.min(bits, width))
          const range = { family, start: (start >> free) << free, bits: Math.min(bits, width) }
          // Beside it by one bit, which lies within the range or not.
          const near = { family, start: start ^ (1n << BigInt(flipped % width)), bits: width }
          // As the vault reads it again: what is IPv4 in IPv6 is then IPv4.
          return [[formatAddressRange(range), formatAddressRange(near)] as const]
        })
      const { rows } = await sql<{ inside: boolean }>`select near::inet <<= range::inet as inside
        from unnest(${pairs.map(([range]) => range)}::text[], ${pairs.map(([, near]) => near)}::text[])
        with ordinality as pair (range, near, n) order by n`.execute(stores.db)
      const asDecided = pairs.map(([range, near]) => containsRange(parsed(range), parsed(near)))
      expect(rows.map(({ inside }) => inside)).toEqual(asDecided)
      expect(new Set(asDecided)).toEqual(new Set([true, false]))
    })
  })

  test('takes a name once, and again after a revocation; a name that is taken leaves no key behind', async () => {
    const first = await insert({ name: 'ci' })
    const second = randomBytes(32)
    expect(await insertIfFree({ name: 'ci' }, second)).toBeUndefined()
    expect(await isLive(second)).toBe(false)
    const left = await stores.db.selectFrom('caller_keys').where('key_hash', '=', second).selectAll().execute()
    expect(left).toEqual([])
    await stores.callers.revoke(workspace(), first.id)
    expect(await insert({ name: 'ci' })).toMatchObject({ name: 'ci' })
  })

  test('makes no caller without its key', async () => {
    const hash = randomBytes(32)
    await insert({}, hash)
    await expect(insertIfFree({ name: 'keyless' }, hash)).rejects.toThrow('caller_keys_pkey')
    expect(await insertIfFree({ name: 'keyless' })).toMatchObject({ name: 'keyless' })
  })

  test('lists live callers by name, in pages, of one workspace', async () => {
    const names = (await stores.callers.list(workspace(), { limit: 100, after: 'caller-' })).map(
      (caller) => caller.name,
    )
    expect(names).toEqual([...names].sort())
    expect(await stores.callers.list(crypto.randomUUID(), { limit: 100, after: undefined })).toEqual([])
    expect(await stores.callers.revoke(crypto.randomUUID(), stores.admin.id)).toBeUndefined()
  })

  describe('a rotation', () => {
    const rotate = (id: string, hash: Uint8Array, overlap: number) =>
      stores.callers.rotate(workspace(), id, hash, overlap)

    test('lets the former key work for the overlap, and says until when', async () => {
      const [former, next] = [randomBytes(32), randomBytes(32)]
      const { id } = await insert({}, former)
      const rotated = await rotate(id, next, 3600)
      const left = (rotated?.formerKeyUntil?.getTime() ?? 0) - Date.now()
      expect(left).toBeGreaterThan(3_500_000)
      expect(left).toBeLessThan(3_700_000)
      for (const hash of [former, next]) {
        expect((await stores.callers.findLive(hash, null))?.caller).toEqual(rotated)
      }
      expect(await stores.callers.find(workspace(), id)).toEqual(rotated)
      await age(id, 3600)
      expect(await isLive(former)).toBe(false)
      expect(await stores.callers.findLive(next, null)).toMatchObject({ caller: { formerKeyUntil: null } })
    })

    test('without an overlap ends the former key at once', async () => {
      const [former, next] = [randomBytes(32), randomBytes(32)]
      const { id } = await insert({}, former)
      expect(await rotate(id, next, 0)).toMatchObject({ formerKeyUntil: null })
      expect([await isLive(former), await isLive(next)]).toEqual([false, true])
    })

    test('ends the keys before the former one at once', async () => {
      const keys = [randomBytes(32), randomBytes(32), randomBytes(32)] as const
      const { id } = await insert({}, keys[0])
      await rotate(id, keys[1], 3600)
      await rotate(id, keys[2], 60)
      expect(await Promise.all(keys.map(isLive))).toEqual([false, true, true])
      const left = ((await stores.callers.find(workspace(), id))?.formerKeyUntil?.getTime() ?? 0) - Date.now()
      expect(left).toBeLessThan(61_000)
    })

    test('does not bring an ended key back to life', async () => {
      const keys = [randomBytes(32), randomBytes(32), randomBytes(32)] as const
      const { id } = await insert({}, keys[0])
      await rotate(id, keys[1], 0)
      await rotate(id, keys[2], 3600)
      expect(await Promise.all(keys.map(isLive))).toEqual([false, true, true])
    })

    test('at the same moment as others leaves one current key and one former', async () => {
      const { id } = await insert()
      const hashes = Array.from({ length: 5 }, () => randomBytes(32))
      await Promise.all(hashes.map((hash) => rotate(id, hash, 3600)))
      expect((await Promise.all(hashes.map(isLive))).filter(Boolean)).toHaveLength(2)
      const current = (await keysOf(id)).filter(({ ends_at }) => ends_at === null)
      expect(current).toHaveLength(1)
    })

    test('is for live callers of the workspace', async () => {
      const { id } = await insert()
      expect(await stores.callers.rotate(crypto.randomUUID(), id, randomBytes(32), 0)).toBeUndefined()
      await stores.callers.revoke(workspace(), id)
      expect(await rotate(id, randomBytes(32), 0)).toBeUndefined()
      expect(await keysOf(id)).toHaveLength(1)
    })
  })

  test('a revocation refuses all keys of a caller', async () => {
    const [former, next] = [randomBytes(32), randomBytes(32)]
    const { id } = await insert({}, former)
    await stores.callers.rotate(workspace(), id, next, 3600)
    expect(await stores.callers.revoke(workspace(), id)).toMatchObject({ formerKeyUntil: null })
    expect(await stores.callers.find(workspace(), id)).toMatchObject({ formerKeyUntil: null })
    expect([await isLive(former), await isLive(next)]).toEqual([false, false])
  })

  test('notes a use, and not again within the hour', async () => {
    const { id } = await insert()
    const used = async () => (await stores.callers.find(workspace(), id))?.lastUsedAt ?? null
    await stores.callers.touch(id)
    const first = await used()
    expect(Math.abs((first?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    await stores.callers.touch(id)
    expect(await used()).toEqual(first)
    const earlier = sql<Date>`last_used_at - interval '61 minutes'`
    await stores.db.updateTable('callers').set({ last_used_at: earlier }).where('id', '=', id).execute()
    await stores.callers.touch(id)
    expect((await used())?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? 0)
  })

  test('removes the keys that have ended, and no others', async () => {
    await stores.callers.purgeEndedKeys()
    const { id } = await insert()
    for (const overlap of [0, 60, 3600]) await stores.callers.rotate(workspace(), id, randomBytes(32), overlap)
    expect(await keysOf(id)).toHaveLength(4)
    expect(await stores.callers.purgeEndedKeys()).toBe(2)
    expect(await keysOf(id)).toHaveLength(2)
  })
})
