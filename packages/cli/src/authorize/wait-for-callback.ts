import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { duration } from '../output/time.ts'
import { readPastedUrl } from './read-pasted-url.ts'

/**
 * The redirected URL, from the listener or pasted where that is awaited, whichever comes first.
 * Throws authorization_timeout, or what the command is interrupted with.
 */
export async function waitForCallback(
  ctx: Context,
  callback: Promise<string>,
  expected: { redirectUri: string; state: string },
  { timeout, paste }: { timeout: number; paste: boolean },
): Promise<string> {
  const over = new AbortController()
  const end = Promise.withResolvers<never>()
  const late = () =>
    end.reject(
      new AuthconnError('authorization_timeout', `The browser did not come back within ${duration(timeout)}.`),
    )
  const interrupted = () => end.reject(ctx.signal.reason)
  const timer = setTimeout(late, timeout * 1000)
  ctx.signal.addEventListener('abort', interrupted)
  try {
    ctx.signal.throwIfAborted()
    const pasted = paste ? [readPastedUrl(ctx, expected, over.signal)] : []
    return await Promise.race([callback, ...pasted, end.promise])
  } finally {
    clearTimeout(timer)
    ctx.signal.removeEventListener('abort', interrupted)
    over.abort()
  }
}
