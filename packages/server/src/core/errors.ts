import { type ErrorCode, errorTable } from '@authconn/shared/errors'
import type { Caller } from './ports.ts'

export interface AuthconnErrorOptions {
  cause?: unknown
  /** Seconds after which to try again; sent as Retry-After. */
  retryAfter?: number
  /** Which parts of the request are wrong. */
  errors?: { pointer: string; detail: string }[]
  /** Whose request it was, where it is refused before that is known elsewhere: for the audit log, and no answer. */
  actor?: Pick<Caller, 'id' | 'workspaceId' | 'name'>
}

/** The one error of the vault: a code for programs, a detail for people, a cause for us. */
export class AuthconnError extends Error {
  readonly code: ErrorCode
  readonly retryAfter: number | undefined
  readonly errors: { pointer: string; detail: string }[] | undefined
  readonly actor: AuthconnErrorOptions['actor'] | undefined

  constructor(code: ErrorCode, detail?: string, options: AuthconnErrorOptions = {}) {
    super(detail ?? errorTable[code].title, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AuthconnError'
    this.code = code
    this.retryAfter = options.retryAfter
    this.errors = options.errors
    this.actor = options.actor
  }
}

/** invalid_request for one part of the request, by its JSON Pointer. */
export function invalidPart(pointer: string, detail: string): AuthconnError {
  return new AuthconnError('invalid_request', `${pointer} ${detail}`, { errors: [{ pointer, detail }] })
}
