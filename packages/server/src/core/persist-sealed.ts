import type { Keyring } from './crypto/keyring.ts'
import { persist } from './persist.ts'

/**
 * The database has refused a value, as the data key it was sealed with has been let go of meanwhile: this process stood
 * still for many minutes between the two.
 */
export class DataKeyGone extends Error {
  override readonly name = 'DataKeyGone'
}

/** Seals what must not be lost and persists it; what was sealed with a data key that is gone is sealed again. */
export async function persistSealed<S, T>(
  deps: { keyring: Pick<Keyring, 'distrust'>; sleep(ms: number): Promise<unknown> },
  workspaceId: string,
  seal: () => Promise<S>,
  write: (sealed: S) => Promise<T>,
): Promise<{ sealed: S; outcome: T }> {
  let sealed = await seal()
  return persist(async () => {
    try {
      return { sealed, outcome: await write(sealed) }
    } catch (error) {
      if (error instanceof DataKeyGone) {
        deps.keyring.distrust(workspaceId)
        sealed = await seal()
      }
      throw error
    }
  }, deps.sleep)
}
