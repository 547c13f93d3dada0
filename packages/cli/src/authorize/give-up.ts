import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Authorization } from '@authconn/shared'
import type { Context } from '../context.ts'

/** Milliseconds: whoever pressed Ctrl-C does not wait for a vault that does not answer. */
const patience = 3000

/** Cancels an authorization in the vault, and says what became of it. A failure to do so is told, not thrown. */
export async function giveUp(
  ctx: Pick<Context, 'say' | 'warn'>,
  vault: Pick<AuthconnClient, 'call'>,
  { id, connection, expires_at }: Pick<Authorization, 'id' | 'connection' | 'expires_at'>,
): Promise<void> {
  const input = { params: { id } }
  // Not bound to the command's signal: that has been aborted where this is needed most.
  const options = { timeout: patience }
  const untold = (error: AuthconnError) =>
    ctx.warn(`the authorization could not be cancelled (${error.detail}). It ends by itself at ${expires_at}.`)
  try {
    await vault.call('cancelAuthorization', input, options)
    ctx.say('The authorization is cancelled in the vault.')
  } catch (error) {
    if (!(error instanceof AuthconnError)) throw error
    if (error.code !== 'authorization_over') return untold(error)
    // The vault had the code already. What it made of it is the truth, whatever became of this program's part.
    const status = await vault.call('getAuthorization', input, options).then(
      (authorization) => authorization.status,
      (reason: unknown) => (reason instanceof AuthconnError ? untold(reason) : Promise.reject(reason)),
    )
    if (status === 'completed')
      ctx.warn(`the vault had completed the authorization. See authconn get ${connection}.`)
  }
}
