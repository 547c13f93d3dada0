import type { Caller, CallerStore } from '../ports.ts'

/** Milliseconds after which a use is noted again. */
const noted = 3_600_000

/** Notes that a caller was used, without a write for each time: once an hour, and once for many requests at a time. */
export function createNoteUse(deps: {
  callers: Pick<CallerStore, 'touch'>
  /** Takes work that goes on after the answer, so that a shutdown waits for it. */
  inBackground(work: Promise<unknown>): void
}): (caller: Pick<Caller, 'id' | 'lastUsedAt'>) => void {
  const underWay = new Set<string>()

  return function noteUse({ id, lastUsedAt }) {
    if (lastUsedAt && Date.now() - lastUsedAt.getTime() < noted) return
    if (underWay.has(id)) return
    underWay.add(id)
    // Nothing depends on it, and what fails now is noted with the next request.
    deps.inBackground(
      deps.callers
        .touch(id)
        .catch(() => undefined)
        .finally(() => underWay.delete(id)),
    )
  }
}
