import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type KeyService, KeyServiceFailure } from '../../src/adapters/key-services/key-service.ts'
import { createRemoteKek } from '../../src/adapters/key-services/remote-kek.ts'

let now = 0
const patience = { attemptMs: 1000, pausesMs: [1, 1], restMs: { first: 40, longest: 80 }, clock: () => now }
const dataKey = { id: 'data-key-1', workspaceId: 'workspace-1', version: 1, kekId: 'kek', wrapped: Buffer.of(1) }

/** A service that does what it is told, and counts. */
function fakeService(unwrap: (attempt: number) => Promise<Uint8Array>): KeyService & { asked: number } {
  return {
    title: 'The service',
    asked: 0,
    wrap: async () => Buffer.of(1),
    unwrap(_wrapped, _binding, _signal) {
      this.asked++
      return unwrap(this.asked)
    },
  }
}

const fail = (kind: KeyServiceFailure['kind']) => Promise.reject(new KeyServiceFailure(kind, 'why'))
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a key-encryption key in a service', () => {
  test('is left alone for longer after each failure, up to a bound, and forgets that after a success', async () => {
    let isUp = false
    const service = fakeService(async () => (isUp ? Buffer.alloc(32) : fail('passing')))
    const kek = createRemoteKek('kek', service, patience)
    const failing = () => expect(kek.unwrap(dataKey)).rejects.toMatchObject({ code: 'kms_unavailable' })
    const after = async (ms: number, asked: number) => {
      now += ms
      await failing()
      expect(service.asked).toBe(asked)
    }
    await after(0, 3)
    await after(39, 3)
    await after(1, 6)
    await after(79, 6)
    await after(1, 9)
    await after(79, 9)
    await after(1, 12)
    now += 80
    isUp = true
    await kek.unwrap(dataKey)
    isUp = false
    await after(0, 16)
    await after(39, 16)
    await after(1, 19)
  })

  test('takes what fails together as one failure, and a success in its midst as the end of it', async () => {
    const away = (): Promise<Uint8Array> => fail('passing')
    const outcomes = [away, away, away]
    const service = fakeService(async () => outcomes.shift()?.() ?? Buffer.alloc(32))
    const kek = createRemoteKek('kek', service, { ...patience, pausesMs: [] })
    const keys = ['a', 'b', 'c'].map((id) => ({ ...dataKey, id }))
    const together = await Promise.allSettled(keys.map(kek.unwrap))
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    now += 39
    await expect(kek.unwrap(dataKey)).rejects.toMatchObject({ code: 'kms_unavailable' })
    now += 1
    await kek.unwrap(dataKey)

    outcomes.push(away, () => pause(20).then(() => Buffer.alloc(32)))
    await Promise.allSettled(keys.slice(0, 2).map(kek.unwrap))
    await expect(kek.unwrap(dataKey)).resolves.toHaveLength(32)
  })

  test('shares a call, and not its outcome with those who come after it', async () => {
    const service = fakeService(async (attempt) => {
      await pause(20)
      return attempt === 1 ? fail('refused') : Buffer.alloc(32)
    })
    const kek = createRemoteKek('kek', service, patience)
    const together = await Promise.allSettled([kek.unwrap(dataKey), kek.unwrap(dataKey)])
    expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(service.asked).toBe(1)
    await kek.unwrap(dataKey)
    expect(service.asked).toBe(2)
  })

  test('shares nothing between data keys, nor between what was wrapped and what stands in its place', async () => {
    const service = fakeService(async () => {
      await pause(20)
      return Buffer.alloc(32)
    })
    const kek = createRemoteKek('kek', service, patience)
    const others = [{ id: 'data-key-2' }, { workspaceId: 'workspace-2' }, { wrapped: Buffer.of(2) }]
    await Promise.all([dataKey, ...others.map((other) => ({ ...dataKey, ...other }))].map(kek.unwrap))
    expect(service.asked).toBe(4)
  })

  test('does not rest for the sake of a refusal: other data keys may be allowed', async () => {
    const service = fakeService(async (attempt) => (attempt === 1 ? fail('refused') : Buffer.alloc(32)))
    const kek = createRemoteKek('kek', service, patience)
    await expect(kek.unwrap(dataKey)).rejects.toMatchObject({ code: 'kms_refused' })
    await expect(kek.unwrap(dataKey)).resolves.toHaveLength(32)
  })

  test.each([
    ['something else', async () => Buffer.alloc(32)],
    ['a part of it', async () => Buffer.alloc(31)],
    ['not at all', () => fail('wrong')],
  ])('gives no data key that comes back as %s, and blames the service', async (_what, unwrap) => {
    const kek = createRemoteKek('kek', fakeService(unwrap), patience)
    await expect(kek.wrap('workspace-1', 'data-key-1', randomBytes(32))).rejects.toMatchObject({
      code: 'kms_refused',
    })
  })

  test('a defect of ours is no outage', async () => {
    const kek = createRemoteKek(
      'kek',
      fakeService(() => Promise.reject(new TypeError('a defect'))),
      patience,
    )
    await expect(kek.unwrap(dataKey)).rejects.toThrow(TypeError)
  })
})
