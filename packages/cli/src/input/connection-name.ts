import { AuthconnError } from '@authconn/sdk'
import type { Context } from '../context.ts'
import { text } from '../flags.ts'
import { listConnections } from '../list-connections.ts'
import { connectionName } from './answer-rules.ts'
import { askText, askWhich } from './prompts.ts'

/** For every command that is about one connection. */
export const nameOperand = { label: 'name', help: 'the name of the connection' }
export const nameFlag = { name: text('NAME', 'the name of the connection, instead of the argument') }

/** The name from the argument or from --name; undefined when neither is there. Throws usage. */
export function givenName(flags: { name: string | undefined }, operands: readonly string[]): string | undefined {
  const [operand] = operands
  if (operand !== undefined && flags.name !== undefined && operand !== flags.name) {
    throw new AuthconnError('usage', 'The argument and --name are two different names.')
  }
  return operand ?? flags.name
}

/** The name of an existing connection: given, or chosen from a list when somebody is there. Throws usage. */
export async function existingName(
  ctx: Context,
  flags: { name: string | undefined },
  operands: readonly string[],
): Promise<string> {
  const name = givenName(flags, operands)
  if (name !== undefined) return name
  if (!ctx.interactive)
    throw new AuthconnError('usage', 'The name of the connection is missing: give it as the argument.')
  const connections = await listConnections(ctx)
  if (connections.length === 0) throw new AuthconnError('connection_not_found', 'There are no connections yet.')
  return askWhich(
    ctx,
    'Which connection?',
    connections.map(({ name }) => name),
  )
}

/** A name for a new connection, asked for until it can be used. */
export async function askName(ctx: Context): Promise<string> {
  for (;;) {
    const name = await askText(ctx, 'Name of the connection', connectionName)
    const objection = await objectionTo(ctx, name)
    if (objection === undefined) return name
    ctx.warn(objection.detail)
  }
}

/** Why a new connection cannot have this name; undefined when it can, as far as this API key can see. */
export async function objectionTo(ctx: Context, name: string): Promise<AuthconnError | undefined> {
  const { signal } = ctx
  const vault = await ctx.vault()
  try {
    await vault.call('getConnection', { params: { name } }, { signal })
  } catch (error) {
    if (!(error instanceof AuthconnError)) throw error
    if (error.code === 'connection_not_found' || error.code === 'permission_denied') return undefined
    if (error.code === 'invalid_request') return error
    throw error
  }
  return new AuthconnError('connection_exists', `There is a connection ${name} already.`)
}
