import type { VerifyToken } from '../../core/trust-port.ts'
import type { SafeFetch } from '../oauth/safe-fetch.ts'

/** Verifies tokens of other platforms. The library for it loads with the first of them: most vaults never see one. */
export function openVerifier(deps: {
  safeFetch: SafeFetch
  /** Milliseconds of a clock that never goes back. */
  clock(): number
}): VerifyToken {
  let opened: Promise<VerifyToken> | undefined

  async function open(): Promise<VerifyToken> {
    const [{ createVerifyToken }, { createIssuerKeys }] = await Promise.all([
      import('./verify-token.ts'),
      import('./issuer-keys.ts'),
    ])
    return createVerifyToken(createIssuerKeys(deps))
  }

  return async function verifyToken(...given) {
    opened ??= open()
    return (await opened)(...given)
  }
}
