import { AuthconnError } from '../errors.ts'
import type { KeyStore } from '../key-port.ts'
import { createDataKey, type KeyEncryptionKeys } from './key-encryption-key.ts'

export interface DataKeyRotation {
  /** Workspaces that have got a new data key. */
  made: number
  /** Those whose newest was young enough to be left alone. */
  left: number
}

const pageSize = 100

/**
 * Gives each workspace, or the one of that name, a new data key, unless its newest was made less than so many seconds ago: so
 * a run that was ended can be run again, and several at once make one key between them. Every process seals with it within
 * ten seconds. Throws workspace_not_found.
 */
export function createRotateDataKeys(deps: {
  keys: Pick<KeyStore, 'listNewest' | 'insert'>
  keks: KeyEncryptionKeys
}): (
  wanted: { workspace: string | undefined; olderThan: number },
  tell: (made: number) => void,
) => Promise<DataKeyRotation> {
  const { keys, keks } = deps

  return async function rotateDataKeys({ workspace, olderThan }, tell) {
    const rotation = { made: 0, left: 0 }
    let after: string | undefined
    for (;;) {
      const page = await keys.listNewest({ workspace, after, limit: pageSize })
      after = page.at(-1)?.dataKey.workspaceId
      if (after === undefined) break
      for (const { dataKey, age } of page) {
        if (age >= olderThan && (await follow(dataKey))) rotation.made++
        else rotation.left++
      }
      tell(rotation.made)
    }
    if (workspace !== undefined && rotation.made + rotation.left === 0) {
      throw new AuthconnError('workspace_not_found', `There is no workspace named "${workspace}"`)
    }
    return rotation
  }

  /** False when another process was first. */
  async function follow({ workspaceId, version }: { workspaceId: string; version: number }): Promise<boolean> {
    return keys.insert(await createDataKey(keks, workspaceId, version + 1))
  }
}
