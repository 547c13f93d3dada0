import type { Readable, Transform } from 'node:stream'
import type { Endpoint } from '../http/endpoints.ts'
import type { SigningKey } from '../provider/signing-key.ts'
import type { FaultOptions } from './fault-options.ts'

/** An answer on its way out. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** What a fault can see and use while it handles one request. */
export interface Exchange {
  endpoint: Endpoint
  issuer: string
  key: SigningKey
  options: FaultOptions
  /** Aborted when the fault is cleared or the sandbox stops. */
  released: AbortSignal
  /** Aborted when the client has gone. */
  gone: AbortSignal
  /** Lets the provider handle the request, once however often it is called. */
  process(): Promise<void>
  /** Replaces whatever the provider answered. */
  answer(answer: Partial<Answer>): void
  /** Writes a body of any length as fast as the client takes it. */
  stream(headers: Record<string, string>, ...streams: readonly [Readable, ...Transform[]]): void
  /** Breaks the connection. */
  reset(): void
}

interface FaultKindBase {
  about: string
  endpoints: readonly Endpoint[]
  options: readonly (keyof FaultOptions)[]
}

/** Answers in the provider's place. */
export interface InsteadKind extends FaultKindBase {
  act(exchange: Exchange): void | Promise<void>
  /** Whether the provider does its work first, unless the options say so. */
  processed?: boolean
}

/** Changes the provider's answer, or answers undefined when there is nothing to change in this one. */
export interface EditKind extends FaultKindBase {
  edit(answer: Answer, exchange: Exchange): Answer | undefined
}

export type FaultKind = InsteadKind | EditKind
