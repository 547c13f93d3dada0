/** Milliseconds after which it is given up, counted from the first failure in a row. */
const patience = 60_000
const pause = 500

type Store = Record<string, (...args: never[]) => Promise<unknown>>

/**
 * A store whose operations are tried again while they fail for a passing reason: for work that takes minutes, whose steps
 * are harmless to repeat.
 */
export function patiently<S extends object>(
  store: S,
  deps: { isPassing(error: unknown): boolean; sleep(ms: number): Promise<unknown>; log(error: unknown): void },
): S {
  const patient = (operation: Store[string]) =>
    async function repeat(...args: never[]) {
      let until: number | undefined
      for (;;) {
        try {
          return await operation(...args)
        } catch (error) {
          until ??= performance.now() + patience
          if (!deps.isPassing(error) || performance.now() > until) throw error
          deps.log(error)
          await deps.sleep(pause)
        }
      }
    }
  return Object.fromEntries(
    Object.entries(store as Store).map(([name, operation]) => [name, patient(operation)]),
  ) as S
}
