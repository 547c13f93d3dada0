import type { AuthconnClient } from '@authconn/sdk'
import type { StartedAuthorization } from '@authconn/shared'
import type { Context } from '../context.ts'
import { patience } from './patience.ts'
import type { Consent } from './run-consent.ts'

/**
 * Begins an authorization in the vault. An interruption does not cut it off at once: without its id, what the vault
 * has begun could not be cancelled.
 */
export async function startAuthorization(
  ctx: Pick<Context, 'signal' | 'waitFor'>,
  vault: Pick<AuthconnClient, 'call'>,
  redirectUri: string,
  { name, scopes, subject, timeout }: Pick<Consent, 'name' | 'scopes' | 'subject' | 'timeout'>,
): Promise<StartedAuthorization> {
  const body = {
    ...(scopes === undefined ? {} : { scopes }),
    redirect_uri: redirectUri,
    // A little longer than we wait, so that a code that comes at the last moment can still be exchanged.
    timeout: Math.min(3600, timeout + 60),
    ...(subject === undefined ? {} : { subject }),
  }
  return beginUnhurried(ctx, (signal) => vault.call('startAuthorization', { params: { name }, body }, { signal }))
}

/** Has the vault begin something, with a signal that an interruption reaches a moment later. */
export async function beginUnhurried<T>(
  ctx: Pick<Context, 'signal' | 'waitFor'>,
  begin: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  ctx.signal.throwIfAborted()
  const { signal, stop } = delayed(ctx.signal, patience)
  try {
    return await ctx.waitFor('Asking the vault', begin(signal))
  } finally {
    stop()
  }
}

/** Aborted with the same reason, but milliseconds later. */
function delayed(signal: AbortSignal, milliseconds: number): { signal: AbortSignal; stop(): void } {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(() => controller.abort(signal.reason), milliseconds)
  }
  signal.addEventListener('abort', begin, { once: true })
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer)
      signal.removeEventListener('abort', begin)
    },
  }
}
