import { AuthconnError } from '@authconn/sdk'
import { errorTable } from '@authconn/shared/errors'

/** Whether it may be over in a moment, as while a vault is restarted: who waits for something goes on waiting. */
export function isPassing(error: unknown): error is AuthconnError {
  return error instanceof AuthconnError && errorTable[error.code].kind === 'unavailable'
}
