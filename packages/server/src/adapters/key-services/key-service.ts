/** A key in a key service, by two operations. Both reject with KeyServiceFailure, and soon after the signal. */
export interface KeyService {
  /** For messages: "AWS KMS". */
  readonly title: string
  wrap(bytes: Uint8Array, binding: Binding, signal: AbortSignal): Promise<Uint8Array>
  unwrap(wrapped: Uint8Array, binding: Binding, signal: AbortSignal): Promise<Uint8Array>
}

/** What a wrapped data key is bound to: it unwraps only for the same workspace and under the same id. Nothing secret. */
export interface Binding {
  workspace: string
  dataKey: string
}

/** The binding as bytes. A JSON array, so that no two give the same. */
export function bindingBytes({ workspace, dataKey }: Binding): Buffer {
  return Buffer.from(JSON.stringify(['authconn', 'data-key', workspace, dataKey]))
}

/**
 * Why a key service did not do what was asked. `passing`: it was not reached, failed or had too much to do.
 * `refused`: it will not do it for us, with that key. `wrong`: what was to be unwrapped was not wrapped by that key, for
 * that binding. The message is for the operator; the error of the client is left out, as it drags requests along.
 */
export class KeyServiceFailure extends Error {
  readonly kind: 'passing' | 'refused' | 'wrong'

  constructor(kind: KeyServiceFailure['kind'], message: string) {
    super(message)
    this.name = 'KeyServiceFailure'
    this.kind = kind
  }
}

/** A client's error in one line: its name and what it says. */
export function inOneLine(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error'
  const reason = error.message || ('code' in error ? String(error.code) : '')
  const name = error.name === 'Error' ? '' : error.name
  return [name, reason.replaceAll(/\s+/g, ' ').slice(0, 400)].filter(Boolean).join(': ')
}
