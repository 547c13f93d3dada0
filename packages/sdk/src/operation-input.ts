import type { Operation } from '@authconn/shared'
import type { OperationName } from '@authconn/shared/routes'

type Parts = Pick<Operation<OperationName>, 'params' | 'query' | 'body'>

/** The parts that the operation has: a query whose every field is optional may be left out, a body may not. */
export type CallInput<N extends OperationName> = {
  [P in keyof Parts as IsOptional<P, Operation<N>[P]> extends false ? P : never]: Operation<N>[P]
} & {
  [P in keyof Parts as IsOptional<P, Operation<N>[P]> extends true ? P : never]?: Operation<N>[P]
}

type IsOptional<P, T> = [T] extends [undefined]
  ? 'absent'
  : P extends 'body'
    ? false
    : object extends T
      ? true
      : false

export interface CallOptions {
  /** Ends the call; what is then thrown is the signal's reason. */
  signal?: AbortSignal | undefined
  /** Milliseconds; instead of the client's. */
  timeout?: number | undefined
  /** By which the request is found in the log and the audit log of the vault: 8 to 128 letters, digits, `.`, `_` and `-`. */
  requestId?: string | undefined
}

export type CallArguments<N extends OperationName> =
  object extends CallInput<N>
    ? [input?: CallInput<N>, options?: CallOptions]
    : [input: CallInput<N>, options?: CallOptions]

/** The input of any operation as it is at run time. The contract's types say more to the caller. */
export interface AnyInput {
  params?: unknown
  query?: unknown
  body?: unknown
}
