import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Share, SharedCounter } from '../../core/limits/window-counter.ts'
import type { Log } from '../../core/ports.ts'
import type { Secret } from '../../core/secret.ts'

/** Milliseconds between two rounds: how far behind a process may be with what the others have counted. */
const interval = 100

/** Milliseconds after which Redis counts as gone. */
const patience = 1000

/** Milliseconds for which a sum outlives its window, for processes whose clocks are behind. */
const grace = 5000

/**
 * Lets several processes count together: ten times a second each adds what it has counted to the sums in Redis and
 * learns them. No request waits for that, and while Redis is away each process goes on counting by itself.
 */
export function shareCounts(deps: { url: Secret; counters: Readonly<Record<string, SharedCounter>>; log: Log }): {
  stop(): Promise<void>
} {
  const { counters, log } = deps
  const stopping = new AbortController()
  let isUp = true
  /** Why there is no connection: what a command says then is only that there is none. */
  let lastTrouble: unknown

  async function run(): Promise<void> {
    const redis = await connect(deps.url, (error) => {
      lastTrouble = error
    })
    await firstSign(redis, stopping.signal)
    while (!stopping.signal.aborted) {
      await exchange(redis)
      await sleep(interval, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
    redis.disconnect()
  }

  async function exchange(redis: Redis): Promise<void> {
    const taken = Object.entries(counters).flatMap(([name, counter]) =>
      counter.take(Date.now()).map((share) => ({ key: keyOf(name, share), counter, share })),
    )
    if (taken.length === 0) return
    try {
      const sums = await addAll(redis, taken)
      for (const [index, { counter, share }] of taken.entries()) counter.learn(share, sums[index] ?? 0)
      if (!isUp) log.info({}, 'Redis answers again: the limits are of all processes together')
      isUp = true
      lastTrouble = undefined
    } catch (error) {
      // Given back only what was never sent: of the rest nobody knows, and counting too little is the safe side.
      if (redis.status !== 'ready') for (const { counter, share } of taken) counter.giveBack(share)
      if (isUp) log.warn({ error: lastTrouble ?? error }, 'Redis does not answer: each process limits by itself')
      isUp = false
    }
  }

  const running = run().catch((error) => log.error({ error }, 'the limits are not shared with other processes'))
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** Loads with the first use: most vaults have no Redis. */
async function connect(url: Secret, onTrouble: (error: Error) => void): Promise<Redis> {
  const { Redis } = await import('ioredis')
  const redis = new Redis(url.reveal(), {
    connectionName: 'authconn',
    connectTimeout: patience,
    commandTimeout: patience,
    // Otherwise a peer that has lost its power would take all that is sent to it for as long as TCP is patient.
    socketTimeout: 2 * patience,
    // What cannot be sent now is part of the next round, so nothing waits and nothing is sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(100 * 2 ** attempts, 5000),
  })
  // Without a listener it would write to standard error.
  redis.on('error', onTrouble)
  return redis
}

/** Resolves when it is clear whether there is a connection, or when that takes too long. */
async function firstSign(redis: Redis, stopping: AbortSignal): Promise<void> {
  const known = new AbortController()
  redis.once('ready', () => known.abort())
  redis.once('error', () => known.abort())
  const signal = AbortSignal.any([known.signal, stopping])
  await sleep(patience, undefined, { signal, ref: false }).catch(() => undefined)
}

/** In one round trip. Resolves to the sums, in the order of the shares. */
async function addAll(redis: Redis, taken: readonly { key: string; share: Share }[]): Promise<number[]> {
  const pipeline = redis.pipeline()
  for (const { key, share } of taken) {
    pipeline.incrby(key, share.added).pexpireat(key, share.endsAt + grace)
  }
  const results = (await pipeline.exec()) ?? []
  return results.flatMap(([error, sum], index) => {
    if (error) throw error
    return index % 2 === 0 ? [Number(sum)] : []
  })
}

/** The window's end is part of it, so that a sum begins anew with the window. */
function keyOf(counter: string, { key, endsAt }: Share): string {
  return `authconn:limit:${counter}:${endsAt}:${key}`
}
