/** Finds the most events that fell into any one second. `now` is in milliseconds. */
export function createBusiestSecond(now: () => number = () => performance.now()) {
  let times: number[] = []
  let oldest = 0

  /** Takes an event down and answers how many there were in the second that ends with it. */
  function add(): number {
    const time = now()
    times.push(time)
    while ((times[oldest] ?? time) <= time - 1000) oldest += 1
    // Cutting the front off costs its length, so it waits until it is worth it.
    if (oldest > 1000 && oldest * 2 > times.length) {
      times = times.slice(oldest)
      oldest = 0
    }
    return times.length - oldest
  }

  return {
    add,
    reset() {
      times = []
      oldest = 0
    },
  }
}
