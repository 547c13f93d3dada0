import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'

/** Does what only operators may, with the key of one where there is one on this machine. */
export async function asOperator<T>(ctx: Context, work: (vault: AuthconnClient) => Promise<T>): Promise<T> {
  try {
    return await work(await ctx.vault('operator'))
  } catch (error) {
    if (!(error instanceof AuthconnError) || error.code !== 'permission_denied') throw error
    const { code, detail, status, title, requestId } = error
    throw new AuthconnError(code, detail, {
      // No administrator holds it, so asking one for a key with the permission would lead nowhere.
      hint: 'This takes the key of an operator. Whoever runs the vault makes one with `authconn-server operator-key`.',
      status,
      title,
      ...(requestId === undefined ? {} : { requestId }),
      cause: error,
    })
  }
}
