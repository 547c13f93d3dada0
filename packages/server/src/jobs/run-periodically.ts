import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../core/ports.ts'

/**
 * Runs a job again and again with a pause between, spread so that replicas do not meet.
 * A failure is logged and the next round comes all the same. The returned stop aborts the job's signal, for a round of
 * many items to end early, and resolves when the running round is over.
 */
export function runPeriodically(
  name: string,
  seconds: number,
  job: (signal: AbortSignal) => Promise<unknown>,
  log: Log,
): () => Promise<void> {
  const stopping = new AbortController()
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const pause = seconds * 1000 * (0.75 + Math.random() / 2)
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      await job(stopping.signal).catch((error) => log.error({ error, job: name }, 'a background job failed'))
    }
  })()
  return async () => {
    stopping.abort()
    await loop
  }
}
