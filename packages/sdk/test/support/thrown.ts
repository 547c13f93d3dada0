import { AuthconnError } from '../../src/index.ts'

/** The AuthconnError that the work ends in. Fails when it ends otherwise. */
export async function thrown(work: () => unknown): Promise<AuthconnError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof AuthconnError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
