import { errorTable } from '@authconn/shared/errors'
import { AuthconnError } from './authconn-error.ts'

interface Patience {
  /** How often to try again. */
  retries: number
  /** Milliseconds for all attempts and the waits between them. */
  timeout: number
  signal: AbortSignal | undefined
}

/**
 * Tries again after a passing failure, when the vault has said to (Retry-After) or has not answered. A wait that would
 * outlast the timeout is not begun: the failure is thrown at once, and says how long to wait.
 */
export async function retryPassing<T>(
  attempt: (milliseconds: number) => Promise<T>,
  { retries, timeout, signal }: Patience,
): Promise<T> {
  const deadline = performance.now() + timeout
  let left = timeout
  for (let failures = 0; ; failures++) {
    try {
      return await attempt(left)
    } catch (error) {
      const wait = failures < retries ? waitAfter(error, failures) : undefined
      left = Math.floor(deadline - performance.now() - (wait ?? 0))
      if (wait === undefined || left <= 0) throw error
      await pause(wait, signal)
    }
  }
}

/** Milliseconds; undefined where another attempt would end in the same way. */
function waitAfter(error: unknown, failures: number): number | undefined {
  if (!(error instanceof AuthconnError)) return undefined
  const { code, retryAfter } = error
  // The jitter keeps those who were told the same from coming back as one.
  if (retryAfter !== undefined && errorTable[code].kind === 'unavailable') {
    return retryAfter * 1000 + Math.random() * 250
  }
  if (code === 'vault_unreachable' || isFromGateway(error)) return (0.5 + Math.random()) * 250 * 2 ** failures
  return undefined
}

/** A proxy in front of the vault answers so, in words of its own, while the vault is being replaced. */
function isFromGateway({ code, status }: AuthconnError): boolean {
  return code === 'vault_answer_invalid' && status >= 502 && status <= 504
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
