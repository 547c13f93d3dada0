import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Authorization } from '@authconn/shared'
import type { Context } from '../context.ts'
import { patience } from './patience.ts'

/** What became of an authorization in the vault, as far as it can be asked. */
export type Fate =
  | { became: 'completed'; authorization: Authorization }
  /** Cancelled, failed or expired: it will come to nothing. */
  | { became: 'over' }
  | { became: 'unknown' }

/** Cancels an authorization in the vault, and says what became of it. A failure to do so is told, not thrown. */
export async function giveUp(
  ctx: Pick<Context, 'say' | 'warn'>,
  vault: Pick<AuthconnClient, 'call'>,
  { id, expires_at }: Pick<Authorization, 'id' | 'expires_at'>,
): Promise<Fate> {
  const input = { params: { id } }
  // Not bound to the command's signal: that has been aborted where this is needed most.
  const options = { timeout: patience }
  const untold = (error: unknown): Fate => {
    if (!(error instanceof AuthconnError)) throw error
    ctx.warn(`the authorization could not be cancelled (${error.detail}). It ends by itself at ${expires_at}.`)
    return { became: 'unknown' }
  }
  try {
    await vault.call('cancelAuthorization', input, options)
    ctx.say('The authorization is cancelled in the vault.')
    return { became: 'over' }
  } catch (error) {
    if (!(error instanceof AuthconnError && error.code === 'authorization_over')) return untold(error)
  }
  try {
    // The vault had the code already. What it made of it is the truth, whatever became of this program's part.
    const authorization = await vault.call('getAuthorization', input, options)
    return authorization.status === 'completed' ? { became: 'completed', authorization } : { became: 'over' }
  } catch (error) {
    return untold(error)
  }
}
