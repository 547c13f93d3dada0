/** Failures in a row after which a provider is left alone. */
const threshold = 5
const firstPause = 2_000
const longestPause = 20_000

/** Permission to ask a provider once. Each must be ended; only the first of its three ways counts. */
export interface Ticket {
  /** The provider answered, whatever it said. */
  answered(): void
  /** It did not answer, or is failing. */
  failed(): void
  /** It was not asked after all. */
  unused(): void
}

export interface CircuitBreaker {
  /** A ticket, or the milliseconds for which the provider is to be left alone. */
  enter(provider: string): Ticket | { refusedFor: number }
  /** The providers that are to be left alone now. */
  refusing(): string[]
}

interface State {
  failures: number
  /** How often in a row it was left alone. */
  trips: number
  closedUntil: number
  probing: boolean
}

/**
 * Leaves a provider that is down alone: after some failures in a row it is asked by one attempt at a time, with pauses
 * between that grow to 20 seconds, until one is answered. `onRecovered` is told then.
 */
export function createCircuitBreaker(deps: {
  /** Milliseconds of a clock that never goes back. */
  clock(): number
  random(): number
  onRecovered(provider: string): void
}): CircuitBreaker {
  const troubled = new Map<string, State>()

  return {
    enter(provider) {
      const state = troubled.get(provider)
      if (!state || state.trips === 0) return ticket(provider, false)
      const refusedFor = state.closedUntil - deps.clock()
      if (refusedFor > 0) return { refusedFor }
      if (state.probing) return { refusedFor: firstPause }
      state.probing = true
      return ticket(provider, true)
    },
    refusing() {
      const now = deps.clock()
      return [...troubled].filter(([, state]) => isRefusing(state, now)).map(([provider]) => provider)
    },
  }

  function ticket(provider: string, isProbe: boolean): Ticket {
    let ended = false
    /** Only the first way to end a ticket counts. */
    const once = (end: (state: State | undefined) => void) => () => {
      if (ended) return
      ended = true
      const state = troubled.get(provider)
      if (isProbe && state) state.probing = false
      end(state)
    }
    return {
      answered: once((state) => {
        if (!state) return
        troubled.delete(provider)
        deps.onRecovered(provider)
      }),
      failed: once((known) => {
        const state = known ?? { failures: 0, trips: 0, closedUntil: 0, probing: false }
        troubled.set(provider, state)
        state.failures++
        // What was already under way when it was closed says nothing new.
        if (isProbe || (state.trips === 0 && state.failures >= threshold)) trip(state)
      }),
      unused: once(() => {}),
    }
  }

  function trip(state: State): void {
    const pause = Math.min(longestPause, firstPause * 2 ** state.trips)
    state.trips++
    state.closedUntil = deps.clock() + pause * (0.5 + deps.random() / 2)
  }
}

function isRefusing(state: State, now: number): boolean {
  return state.trips > 0 && (state.probing || state.closedUntil > now)
}
