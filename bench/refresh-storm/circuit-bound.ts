/** As in core/grants/circuit-breaker.ts, in seconds: what it promises is computed here once more. */
const threshold = 5
const firstPause = 2
const longestPause = 20
/** Of a pause, at random. */
const shortestShare = 0.5

/**
 * The most calls that one vault may make to a provider that is down for so many seconds. `underWay`: calls that may have
 * begun when the fifth failed. After that there is one at a time, with a pause after each.
 */
export function mostCallsWhileDown(seconds: number, underWay: number): number {
  let calls = threshold + underWay
  for (let trips = 0, at = 0; ; trips++) {
    at += Math.min(longestPause, firstPause * 2 ** trips) * shortestShare
    if (at > seconds) return calls
    calls++
  }
}
