import { AuthconnError } from '@authconn/sdk'
import type { Provider } from '@authconn/shared'
import type { Context } from './context.ts'
import { nearest } from './nearest.ts'

/** The catalog as this vault has it. */
export async function listProviders(ctx: Context): Promise<Provider[]> {
  const { signal } = ctx
  const vault = await ctx.vault()
  const { providers } = await ctx.waitFor('Asking the vault', vault.call('listProviders', {}, { signal }))
  return providers
}

/** The provider of the catalog with that name. Throws usage where there is none, with the one that was probably meant. */
export async function findProvider(ctx: Context, name: string): Promise<Provider> {
  const providers = await listProviders(ctx)
  const found = providers.find(({ id }) => id === name)
  if (found !== undefined) return found
  const meant = nearest(
    name,
    providers.map(({ id }) => id),
  )
  const suggestion = meant === undefined ? '' : ` Did you mean ${meant}?`
  throw new AuthconnError(
    'usage',
    `The vault knows no provider "${name}"; authconn providers lists them.${suggestion}`,
  )
}
