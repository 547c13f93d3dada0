import { AuthconnError } from '@authconn/sdk'
import type { ConnectionUpdate } from '@authconn/shared'
import type { Context } from '../context.ts'
import { duration, type FlagValues, text } from '../flags.ts'
import { clientSecret } from './answer-rules.ts'
import { authenticationFlags, readClientKey } from './client-key.ts'
import { existingName } from './connection-name.ts'
import { defined } from './defined.ts'
import { askSecret } from './prompts.ts'
import { readSecret, secretSource } from './read-secret.ts'

export const updateFlags = {
  clientSecret: text('SECRET', 'the new client secret, or - to read it from standard input'),
  clientSecretFile: text('FILE', 'a file that holds the new client secret, or - for standard input'),
  overlap: duration(
    'how long the former client secret or key is still used where the provider refuses the new one; 7d unless given, 0 to forget it at once',
    { from: 0, to: 30 * 86_400 },
  ),
  ...authenticationFlags,
}

/**
 * What to change of which connection, by flags and, where they name no new client secret though one is meant, by a
 * question. Throws usage where nobody can be asked.
 */
export async function connectionUpdate(
  ctx: Context,
  flags: FlagValues<typeof updateFlags> & { name: string | undefined },
  operands: readonly string[],
): Promise<{ name: string; body: ConnectionUpdate }> {
  const { overlap } = flags
  const method = flags.clientAuth
  const source = secretSource(flags)
  if (flags.privateKeyFile !== undefined && source !== undefined) {
    throw new AuthconnError('usage', 'Give a client secret or --private-key-file, not both.')
  }
  const key = await readClientKey(ctx, flags)
  const toBeAsked = source === undefined && !key && (method === undefined || overlap !== undefined)
  if (toBeAsked && !ctx.interactive) throw missing(overlap)
  const name = await existingName(ctx, flags, operands)
  const secret = toBeAsked ? await askNewSecret(ctx, name) : source && (await readSecret(ctx, source))
  return {
    name,
    body: defined({ client_secret: secret, client_key: key, overlap, token_endpoint_auth_method: method }),
  }
}

function missing(overlap: number | undefined): AuthconnError {
  if (overlap !== undefined) {
    return new AuthconnError(
      'usage',
      '--overlap goes with a new client secret or key: add --client-secret-file or --private-key-file.',
    )
  }
  return new AuthconnError(
    'usage',
    'Nothing to change: add --client-secret-file, --private-key-file or --client-auth.',
  )
}

async function askNewSecret(ctx: Context, name: string): Promise<string> {
  const { signal } = ctx
  const vault = await ctx.vault()
  // Asked first, so that a name that does not exist is told before the question.
  await vault.call('getConnection', { params: { name } }, { signal })
  return askSecret(ctx, `New client secret of ${name}`, clientSecret)
}
