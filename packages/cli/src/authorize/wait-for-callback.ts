import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { duration } from '../output/time.ts'
import { readPastedUrl } from './read-pasted-url.ts'

/**
 * The redirected URL, from the listener or pasted, whichever comes first.
 * Throws authorization_timeout, or what the command is interrupted with.
 */
export async function waitForCallback(
  ctx: Context,
  callback: Promise<string>,
  expected: { redirectUri: string; state: string; timeout: number },
): Promise<string> {
  const over = new AbortController()
  const end = Promise.withResolvers<never>()
  const late = () =>
    end.reject(
      new AuthconnError(
        'authorization_timeout',
        `The browser did not come back within ${duration(expected.timeout)}.`,
      ),
    )
  const interrupted = () => end.reject(ctx.signal.reason)
  const timer = setTimeout(late, expected.timeout * 1000)
  ctx.signal.addEventListener('abort', interrupted)
  try {
    ctx.signal.throwIfAborted()
    return await Promise.race([callback, readPastedUrl(ctx, expected, over.signal), end.promise])
  } finally {
    clearTimeout(timer)
    ctx.signal.removeEventListener('abort', interrupted)
    over.abort()
  }
}
