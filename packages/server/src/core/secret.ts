import { inspect } from 'node:util'

const shown = '[secret]'

/**
 * A value that must never be printed: a client secret, token, code, verifier or key.
 * It renders as "[secret]" in JSON, string conversion, logs and inspect; only reveal() gives the value.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}
