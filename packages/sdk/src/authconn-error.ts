import { type ErrorCode, errorTable } from '@authconn/shared/errors'

export interface AuthconnErrorOptions {
  cause?: unknown
  /** HTTP status of the vault's answer; 0 when there was none. */
  status?: number
  /** Instead of those of the error table: a vault may be newer than this client. */
  title?: string
  hint?: string
  requestId?: string
  /** Seconds after which to try again. */
  retryAfter?: number
  /** Which parts of the request are wrong. */
  errors?: { pointer: string; detail: string }[]
}

/** The one error of the client: a code for programs; title, detail and hint for people. */
export class AuthconnError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly hint: string
  readonly requestId: string | undefined
  readonly retryAfter: number | undefined
  readonly errors: readonly { pointer: string; detail: string }[] | undefined

  constructor(code: ErrorCode, detail?: string, options: AuthconnErrorOptions = {}) {
    const title = options.title ?? errorTable[code].title
    super(detail ?? title, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AuthconnError'
    this.code = code
    this.status = options.status ?? 0
    this.title = title
    this.detail = this.message
    this.hint = options.hint ?? errorTable[code].hint
    this.requestId = options.requestId
    this.retryAfter = options.retryAfter
    this.errors = options.errors
  }
}
