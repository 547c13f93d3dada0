import { expect, test } from 'vitest'
import { runPeriodically } from '../../src/jobs/run-periodically.ts'
import { silentLog } from '../support/stores.ts'

test('a job learns at once that it is to stop, and may end between two items', async () => {
  const done: number[] = []
  const started = Promise.withResolvers<void>()
  const job = async (signal: AbortSignal) => {
    for (let item = 0; item < 100 && !signal.aborted; item++) {
      done.push(item)
      started.resolve()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const stop = runPeriodically('a long round', 0.001, job, silentLog)
  await started.promise
  await stop()
  expect(done.length).toBeLessThan(5)
})
