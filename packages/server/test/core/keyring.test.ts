import { randomBytes, randomUUID } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sealedWith } from '../../src/core/crypto/envelope.ts'
import { createDataKey, createKeks, createLocalKek } from '../../src/core/crypto/key-encryption-key.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import { AuthconnError } from '../../src/core/errors.ts'
import type { DataKey, DataKeyStore } from '../../src/core/ports.ts'
import { Secret } from '../../src/core/secret.ts'
import { silentLog } from '../support/stores.ts'

afterEach(() => void vi.useRealTimers())

const kek = createLocalKek(randomBytes(32))
const keks = createKeks(kek)

/** Data keys in memory, as all processes see them, and what the store was asked for. */
async function makeStore(workspaces: string[] = [randomUUID()]) {
  const keys: DataKey[] = await Promise.all(workspaces.map((workspaceId) => createDataKey(keks, workspaceId, 1)))
  const uses = new Map<string, number>()
  const asked: string[] = []
  let isAway = false
  const ask = (what: string) => {
    asked.push(what)
    if (isAway) throw new Error('the database is away')
  }
  const ofWorkspace = (id: string) => keys.filter(({ workspaceId }) => workspaceId === id)
  const store: DataKeyStore = {
    async getCurrent(workspaceId) {
      ask('current')
      const newest = ofWorkspace(workspaceId).at(-1)
      if (!newest) throw new Error('no such workspace')
      return newest
    },
    async find(id) {
      ask('find')
      return keys.find((key) => key.id === id)
    },
    async reserve(id, count, most) {
      ask('reserve')
      const after = (uses.get(id) ?? 0) + count
      if (after > most) return false
      uses.set(id, after)
      return true
    },
    async insert(dataKey) {
      ask('insert')
      if (ofWorkspace(dataKey.workspaceId).some(({ version }) => version === dataKey.version)) return false
      keys.push(dataKey)
      return true
    },
  }
  return {
    store,
    keys,
    uses,
    workspace: workspaces[0] ?? '',
    asked: () => asked.splice(0),
    setAway: (away: boolean) => {
      isAway = away
    },
    async rotate(workspaceId: string) {
      const next = await createDataKey(keks, workspaceId, ofWorkspace(workspaceId).length + 1)
      keys.push(next)
      return next.id
    },
  }
}

type Limits = NonNullable<Parameters<typeof createKeyring>[0]['limits']>

function keyringOn(store: DataKeyStore, limits: Limits = {}, given = keks) {
  return createKeyring({ dataKeys: store, keks: given, log: silentLog, limits })
}

const placeIn = (workspaceId: string) => places.accessToken({ id: randomUUID(), workspaceId })
const secret = new Secret('token')

describe('a keyring', () => {
  test('asks the database for nothing when it seals and opens, once it has a key', async () => {
    const { store, workspace, asked } = await makeStore()
    const keyring = keyringOn(store)
    await keyring.prepare(workspace)
    expect(asked()).toEqual(['current', 'reserve'])
    for (let n = 0; n < 100; n++) {
      const place = placeIn(workspace)
      expect((await keyring.open(place, await keyring.seal(place, secret))).reveal()).toBe('token')
    }
    await keyring.prepare(workspace)
    expect(asked()).toEqual([])
  })

  test('asks once for all who want the same key at once', async () => {
    const { store, workspace, asked } = await makeStore()
    const place = placeIn(workspace)
    const sealed = await keyringOn(store).seal(place, secret)
    asked()
    const keyring = keyringOn(store)
    await Promise.all(Array.from({ length: 50 }, () => keyring.open(place, sealed)))
    expect(asked()).toEqual(['find'])
    await Promise.all(Array.from({ length: 50 }, () => keyring.seal(place, secret)))
    expect(asked()).toEqual(['current', 'reserve'])
  })

  test('seals with a newer data key within ten seconds of its making, and opens what came before', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { store, workspace, rotate } = await makeStore()
    const keyring = keyringOn(store)
    const place = placeIn(workspace)
    const before = await keyring.seal(place, secret)
    const next = await rotate(workspace)
    vi.advanceTimersByTime(10_001)
    expect(sealedWith(await keyring.seal(place, secret))).toBe(next)
    expect((await keyring.open(place, before)).reveal()).toBe('token')
  })

  test('prepares with the newest data key as well, since what follows must not wait for the database', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { store, workspace, rotate, asked } = await makeStore()
    const keyring = keyringOn(store)
    await keyring.prepare(workspace)
    const next = await rotate(workspace)
    vi.advanceTimersByTime(10_001)
    await keyring.prepare(workspace)
    asked()
    expect(sealedWith(await keyring.seal(placeIn(workspace), secret))).toBe(next)
    expect(asked()).toEqual([])
  })

  test('goes on sealing with the key it has while the database is away, and prepares nothing then', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { store, workspace, keys, setAway } = await makeStore()
    const keyring = keyringOn(store)
    await keyring.prepare(workspace)
    vi.advanceTimersByTime(10_001)
    setAway(true)
    expect(sealedWith(await keyring.seal(placeIn(workspace), secret))).toBe(keys[0]?.id)
    await expect(keyring.prepare(workspace)).rejects.toThrow('the database is away')
  })

  test('opens nothing of another workspace, not even where the key is in memory', async () => {
    const { store, keys } = await makeStore([randomUUID(), randomUUID()])
    const keyring = keyringOn(store)
    const [one, other] = keys.map(({ workspaceId }) => placeIn(workspaceId))
    if (!one || !other) throw new Error('two workspaces')
    const sealed = await keyring.seal(one, secret)
    for (const opening of [keyring, keyringOn(store)]) {
      await expect(opening.open({ ...one, workspace: other.workspace }, sealed)).rejects.toMatchObject({
        code: 'sealed_value_damaged',
      })
    }
    expect(() => keyring.openNow({ ...one, workspace: other.workspace }, sealed)).toThrow(
      expect.objectContaining({ code: 'sealed_value_damaged' }),
    )
  })

  test('opens at once what is sealed with a key in memory, and nothing else', async () => {
    const { store, workspace } = await makeStore()
    const keyring = keyringOn(store)
    const place = placeIn(workspace)
    const sealed = await keyring.seal(place, secret)
    expect(keyring.openNow(place, sealed)?.reveal()).toBe(secret.reveal())
    const another = keyringOn(store)
    expect(another.openNow(place, sealed)).toBeUndefined()
    await another.open(place, sealed)
    expect(another.openNow(place, sealed)?.reveal()).toBe(secret.reveal())
  })
})

describe('while the KMS is away', () => {
  const { keks: kms, setAway } = awayKms()
  afterEach(() => setAway(false))

  test('no uses are reserved of a data key that does not open', async () => {
    const { store, workspace, uses, asked } = await makeStore()
    const keyring = keyringOn(store, { usesAtOnce: 10 }, kms)
    setAway(true)
    for (let n = 0; n < 3; n++) {
      await expect(keyring.prepare(workspace)).rejects.toMatchObject({ code: 'kms_unavailable' })
    }
    expect(asked()).not.toContain('reserve')
    setAway(false)
    await keyring.prepare(workspace)
    expect([...uses.values()]).toEqual([10])
  })

  test('the data key at hand will do in the place of a newer one, as long as it has enough uses', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { store, workspace, rotate, keys } = await makeStore()
    const keyring = keyringOn(store, { usesAtOnce: 10 }, kms)
    await keyring.prepare(workspace)
    await rotate(workspace)
    vi.advanceTimersByTime(10_001)
    setAway(true)
    await keyring.prepare(workspace)
    for (let n = 0; n < 5; n++) {
      expect(sealedWith(await keyring.seal(placeIn(workspace), secret))).toBe(keys[0]?.id)
    }
    await expect(keyring.prepare(workspace), 'half of them are used').rejects.toMatchObject({
      code: 'kms_unavailable',
    })
  })
})

/** A source of keys that can be away. */
function awayKms() {
  let isAway = false
  const source: typeof kek = {
    ...kek,
    async unwrap(dataKey) {
      if (isAway) throw new AuthconnError('kms_unavailable')
      return kek.unwrap(dataKey)
    },
  }
  return {
    keks: createKeks(source),
    setAway: (away: boolean) => {
      isAway = away
    },
  }
}

describe('the uses of a data key', () => {
  const limits = { usesOfKey: 100, usesAtOnce: 10 }

  test('are never more than its bound, however many processes seal at once, and then a new key follows', async () => {
    const { store, workspace, keys, uses } = await makeStore()
    const processes = Array.from({ length: 4 }, () => keyringOn(store, limits))
    const sealed = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => {
        const keyring = processes[n % processes.length]
        if (!keyring) throw new Error('no process')
        return keyring.seal(placeIn(workspace), secret)
      }),
    )
    const sealedBy = new Map<string, number>()
    for (const each of sealed) sealedBy.set(sealedWith(each), (sealedBy.get(sealedWith(each)) ?? 0) + 1)
    expect(keys.length).toBeGreaterThanOrEqual(10)
    expect(keys.map(({ version }) => version)).toEqual(keys.map((_, index) => index + 1))
    for (const [id, count] of sealedBy) {
      expect(count).toBeLessThanOrEqual(limits.usesOfKey)
      expect(uses.get(id)).toBeGreaterThanOrEqual(count)
      expect(uses.get(id)).toBeLessThanOrEqual(limits.usesOfKey)
    }
  })

  test('are counted by blocks, with one write for all of a block', async () => {
    const { store, workspace, uses, keys, asked } = await makeStore()
    const keyring = keyringOn(store, { usesAtOnce: 10 })
    for (let n = 0; n < 25; n++) await keyring.seal(placeIn(workspace), secret)
    expect(uses.get(keys[0]?.id ?? '')).toBe(30)
    expect(asked().filter((what) => what === 'reserve')).toHaveLength(3)
  })

  test('are reserved ahead, so that many seals after a prepare need nothing', async () => {
    const { store, workspace, asked } = await makeStore()
    const keyring = keyringOn(store, { usesAtOnce: 1000 })
    for (let n = 0; n < 600; n++) await keyring.seal(placeIn(workspace), secret)
    await keyring.prepare(workspace)
    asked()
    await Promise.all(Array.from({ length: 1400 }, () => keyring.seal(placeIn(workspace), secret)))
    expect(asked()).toEqual([])
  })
})

describe('unwrapped data keys', () => {
  test('are kept in memory up to a bound, those used last', async () => {
    const { store, keys, asked } = await makeStore(Array.from({ length: 5 }, () => randomUUID()))
    const unwrappings: string[] = []
    const counting = createKeks({
      ...kek,
      unwrap(dataKey) {
        unwrappings.push(dataKey.id)
        return kek.unwrap(dataKey)
      },
    })
    const sealedIn = await Promise.all(
      keys.map(async ({ workspaceId }) => {
        const place = placeIn(workspaceId)
        return { place, sealed: await keyringOn(store).seal(place, secret) }
      }),
    )
    const keyring = keyringOn(store, { unwrapped: 3 }, counting)
    const open = async (n: number) => {
      const { place, sealed } = sealedIn[n] ?? expect.unreachable()
      expect((await keyring.open(place, sealed)).reveal()).toBe('token')
    }
    for (const n of [0, 1, 2]) await open(n)
    await open(0)
    await open(3)
    asked()
    unwrappings.length = 0
    for (const n of [0, 2, 3]) await open(n)
    expect(asked()).toEqual([])
    await open(1)
    expect(unwrappings).toEqual([keys[1]?.id])
  })
})
