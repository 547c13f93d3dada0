import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { askWhich } from '../input/prompts.ts'
import { nearest } from '../nearest.ts'
import { allTrusts } from './all-trusts.ts'

export const trustOperand = { label: 'trust', help: 'the name of the trust' }

/**
 * Does something with an existing trust: named, or chosen from a list when somebody is there. Throws usage, and
 * trust_not_found with what was probably meant.
 */
export async function withTrust<T>(
  ctx: Context,
  operands: readonly string[],
  work: (name: string) => Promise<T>,
): Promise<T> {
  const [given] = operands
  if (given === undefined && !ctx.interactive) {
    throw new AuthconnError('usage', 'The trust is missing: give its name as the argument.')
  }
  const name = given ?? (await askName(ctx))
  try {
    return await work(name)
  } catch (error) {
    if (!(error instanceof AuthconnError && error.code === 'trust_not_found')) throw error
    const meant = nearest(name, await namesOf(ctx))
    const suggestion = meant === undefined ? '' : ` Did you mean ${meant}?`
    throw new AuthconnError('trust_not_found', `There is no trust ${name}, or it is revoked.${suggestion}`, {
      cause: error,
    })
  }
}

async function askName(ctx: Context): Promise<string> {
  const names = await ctx.waitFor('Asking the vault', namesOf(ctx))
  if (names.length === 0) throw new AuthconnError('trust_not_found', 'There are no trusts yet.')
  return askWhich(ctx, 'Which trust?', names)
}

async function namesOf(ctx: Context): Promise<string[]> {
  return (await allTrusts(ctx)).map(({ name }) => name)
}
