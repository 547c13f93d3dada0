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
  return Math.max(1, retryAfter ?? 0, random() * ceiling)
}
