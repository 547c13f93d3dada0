/** Work in lanes: some at a time in each, in the order in which it came. */
export interface Lanes {
  /** Work that must not reject. */
  run(lane: string, work: () => Promise<void>): void
  /** How much is running, in all lanes. */
  running(): number
  /** The lanes in which nothing more would run at once. */
  full(): string[]
  /** Resolves when the next of the running is through. */
  changed(): Promise<void>
}

interface Lane {
  running: number
  waiting: (() => Promise<void>)[]
}

export function createLanes({ width }: { width: number }): Lanes {
  const lanes = new Map<string, Lane>()
  let running = 0
  let watchers: (() => void)[] = []

  function next(name: string, lane: Lane): void {
    const work = lane.running < width ? lane.waiting.shift() : undefined
    if (!work) {
      if (lane.running === 0) lanes.delete(name)
      return
    }
    lane.running++
    running++
    void work().finally(() => {
      lane.running--
      running--
      next(name, lane)
      const told = watchers
      watchers = []
      for (const tell of told) tell()
    })
  }

  return {
    run(name, work) {
      const lane = lanes.get(name) ?? { running: 0, waiting: [] }
      lanes.set(name, lane)
      lane.waiting.push(work)
      next(name, lane)
    },
    running: () => running,
    full: () => [...lanes].filter(([, lane]) => lane.running >= width).map(([name]) => name),
    changed: () => new Promise<void>((resolve) => watchers.push(resolve)),
  }
}
