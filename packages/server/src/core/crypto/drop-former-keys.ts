import type { KeyStore } from '../key-port.ts'
import type { Log } from '../ports.ts'

/**
 * Seconds for which nothing has been sealed with a former data key when it goes. What a process has read by then it has
 * long opened, and what it has sealed it has long written; what comes later all the same the database refuses.
 */
const unusedSeconds = 600

/** Lets go of former data keys that are of no use any more. `waiting`: how many will be, when their time has come. */
export function createDropFormerKeys(deps: {
  keys: Pick<KeyStore, 'dropUnused'>
  log: Pick<Log, 'info'>
}): () => Promise<{ dropped: number; waiting: number }> {
  return async function dropFormerKeys() {
    const former = await deps.keys.dropUnused(unusedSeconds)
    if (former.dropped > 0) deps.log.info({ dropped: former.dropped }, 'let go of former data keys')
    return former
  }
}
