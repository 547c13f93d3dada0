import { AuthconnError } from '@authconn/sdk'
import type { Caller } from '@authconn/shared'
import type { Context } from '../context.ts'
import { askWhich } from '../input/prompts.ts'
import { nearest } from '../nearest.ts'
import { allCallers } from './all-callers.ts'

export const callerOperand = { label: 'caller', help: 'the name or the id of the caller' }

/**
 * An existing caller: named, or chosen from a list when somebody is there. An id goes before a name, since anybody who
 * makes callers may call one like the id of another. Throws usage and caller_not_found.
 */
export async function existingCaller(ctx: Context, operands: readonly string[]): Promise<Caller> {
  const [given] = operands
  if (given === undefined && !ctx.interactive) {
    throw new AuthconnError('usage', 'The caller is missing: give its name or id as the argument.')
  }
  const callers = await ctx.waitFor('Asking the vault', allCallers(ctx))
  const wanted = given ?? (await askName(ctx, callers))
  const found = callers.find(({ id }) => id === wanted) ?? callers.find(({ name }) => name === wanted)
  if (found) return found
  const meant = nearest(
    wanted,
    callers.map(({ name }) => name),
  )
  const suggestion = meant === undefined ? '' : ` Did you mean ${meant}?`
  throw new AuthconnError('caller_not_found', `There is no caller ${wanted}, or it is revoked.${suggestion}`)
}

function askName(ctx: Context, callers: readonly Caller[]): Promise<string> {
  return askWhich(
    ctx,
    'Which caller?',
    callers.map(({ name }) => name),
  )
}
