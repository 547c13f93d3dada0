const first = 2
const longest = 300

/**
 * Seconds to wait after a failure that may pass: exponential with full jitter, at least what the provider asked for.
 * `failures`: how many there were in a row before this one.
 */
export function backoff(
  failures: number,
  retryAfter: number | undefined,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(longest, first * 2 ** Math.min(failures, 20))
  // What the provider asked for is spread too: everyone was asked the same.
  const asked = retryAfter === undefined ? 0 : retryAfter * (1 + random() / 10) + random()
  return Math.max(1, asked, random() * ceiling)
}

const firstPause = 30

/**
 * Seconds to wait after an answer that fits no standard: half a minute and doubling, spread over the upper half, so that
 * the attempts take their time. `answers`: how many of them there were since the last success, before this one.
 */
export function slowBackoff(answers: number, random: () => number = Math.random): number {
  return firstPause * 2 ** Math.min(answers, 10) * (0.5 + random() / 2)
}
