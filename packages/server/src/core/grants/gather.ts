import { AuthconnError } from '../errors.ts'

export interface Gathered<Q, A> {
  (question: Q): Promise<A>
  /** How many questions wait. */
  waiting(): number
}

/** Once round the event loop: what has arrived at the sockets by now is asked together, and nothing is waited for. */
export function whatIsThere(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * Gathers what comes together. What arrives while all lanes are busy goes into the next batch; what arrives at a lane that
 * is free waits for nothing but the requests that are there already. Throws overloaded when more waits than can be answered in time.
 */
export function gather<Q, A>(
  answerAll: (questions: readonly Q[]) => Promise<readonly A[]>,
  limits: {
    /** Batches under way at a time. */
    lanes: number
    /** Questions in one batch. */
    most: number
    /** Questions that wait. */
    queue: number
    /** Whether an error may be of one question alone, rather than of all that are asked now. */
    isOfOne(error: unknown): boolean
  },
): Gathered<Q, A> {
  interface Waiting {
    question: Q
    resolve(answer: A): void
    reject(error: unknown): void
  }
  let waiting: Waiting[] = []
  let running = 0

  function ask(question: Q): Promise<A> {
    if (waiting.length >= limits.queue) {
      throw new AuthconnError('overloaded', undefined, { retryAfter: 1 })
    }
    return new Promise<A>((resolve, reject) => {
      waiting.push({ question, resolve, reject })
      if (running < limits.lanes) void run()
    })
  }

  return Object.assign(ask, { waiting: () => waiting.length })

  async function run(): Promise<void> {
    running++
    for (;;) {
      await whatIsThere()
      if (waiting.length === 0) break
      const batch = waiting.slice(0, limits.most)
      waiting = waiting.slice(limits.most)
      await answer(batch)
    }
    running--
  }

  async function answer(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await answerAll(batch.map(({ question }) => question))
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as A)
    } catch (error) {
      if (limits.isOfOne(error)) {
        if (batch.length > 1) await answerHalves(batch)
        else batch[0]?.reject(error)
        return
      }
      // Those behind it would only wait to fail as well, and for whom by then?
      const all = [...batch, ...waiting]
      waiting = []
      for (const { reject } of all) reject(error)
    }
  }

  /** One that cannot be answered must not fail the others. */
  async function answerHalves(batch: readonly Waiting[]): Promise<void> {
    const half = Math.ceil(batch.length / 2)
    await answer(batch.slice(0, half))
    await answer(batch.slice(half))
  }
}
