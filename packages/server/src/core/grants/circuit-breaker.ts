/** Grants whose refresh failed one after the other before a provider is left alone. */
const threshold = 5
/** Milliseconds after which a failure says nothing any more. */
const memory = 60_000
const firstPause = 2_000
const longestPause = 20_000
/** Providers that are remembered; beyond it the ones in trouble longest are forgotten. */
const mostProviders = 1_000

/** Permission to ask a provider once. Each must be ended; only the first of its three ways counts. */
export interface Ticket {
  /** The provider answered, whatever it said. */
  answered(): void
  /** It did not answer, or is failing. */
  failed(): void
  /** It was not asked after all, or what it said tells nothing of how it fares. */
  unused(): void
}

export interface CircuitBreaker {
  /** A ticket for one grant, or the milliseconds for which the provider is to be left alone. */
  enter(provider: string, grantId: string): Ticket | { refusedFor: number }
  /** The providers that are to be left alone now. */
  refusing(): string[]
}

interface State {
  /** When the refresh of which grant failed last. */
  failures: Map<string, number>
  /** How often in a row it was left alone. */
  trips: number
  closedUntil: number
  probing: boolean
}

/**
 * Leaves a provider that is down alone: after the refreshes of some grants failed in a row it is asked by one attempt at a
 * time, with pauses between that grow to 20 seconds, until one is answered. `onRecovered` is told then. One grant that
 * always fails does not make it look down to the others.
 */
export function createCircuitBreaker(deps: {
  /** Milliseconds of a clock that never goes back. */
  clock(): number
  random(): number
  onRecovered(provider: string): void
}): CircuitBreaker {
  const troubled = new Map<string, State>()

  return {
    enter(provider, grantId) {
      const state = troubled.get(provider)
      if (!state || state.trips === 0) return ticket(provider, grantId, false)
      const refusedFor = state.closedUntil - deps.clock()
      if (refusedFor > 0) return { refusedFor }
      if (state.probing) return { refusedFor: firstPause }
      state.probing = true
      return ticket(provider, grantId, true)
    },
    refusing() {
      const now = deps.clock()
      return [...troubled].filter(([, state]) => isRefusing(state, now)).map(([provider]) => provider)
    },
  }

  function ticket(provider: string, grantId: string, isProbe: boolean): Ticket {
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
        if (state.trips > 0) deps.onRecovered(provider)
      }),
      failed: once((known) => {
        const state = known ?? remember(provider)
        note(state, grantId)
        // What was already under way when it was closed says nothing new.
        if (isProbe || (state.trips === 0 && state.failures.size >= threshold)) trip(state)
      }),
      unused: once(() => {}),
    }
  }

  function remember(provider: string): State {
    const state = { failures: new Map<string, number>(), trips: 0, closedUntil: 0, probing: false }
    troubled.set(provider, state)
    const [oldest] = troubled.keys()
    if (troubled.size > mostProviders && oldest !== undefined) troubled.delete(oldest)
    return state
  }

  function note({ failures, trips }: State, grantId: string): void {
    // Once it is left alone it is the probes that count.
    if (trips > 0) return
    const now = deps.clock()
    for (const [id, at] of failures) if (now - at > memory) failures.delete(id)
    failures.set(grantId, now)
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
