import { inspect } from 'node:util'
import { expect } from 'vitest'
import { AuthconnError } from '../../../src/core/errors.ts'
import { ProviderFailure } from '../../../src/core/oauth-port.ts'

/** The ProviderFailure that a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<ProviderFailure> {
  const error = await promise.then(
    (value) => expect.fail(`resolved to ${inspect(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ProviderFailure)) throw error
  return error
}

/** The AuthconnError that a promise ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<AuthconnError> {
  const error = await promise.then(
    (value) => expect.fail(`resolved to ${inspect(value)}`),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AuthconnError)) throw error
  return error
}

/** All that a log, a crash report or a person may get to see of an error. */
export function everythingShownOf(error: unknown): string {
  const shown = [
    inspect(error, { depth: null, showHidden: true, getters: true }),
    String(error),
    JSON.stringify(error),
  ]
  for (let at = error; at instanceof Error; at = at.cause) {
    shown.push(at.stack ?? '', at.message, JSON.stringify(Object.getOwnPropertyDescriptors(at)))
  }
  return shown.join('\n')
}
