import type { Provider } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import { table } from '../output/table.ts'

export const providers = defineCommand({
  description:
    'For these the vault knows the endpoints and habits. Others are discovered from their URL (OpenID Connect Discovery, RFC 8414), or their endpoints are given by flags of authconn create.',
  flags: {},
  examples: [
    ['authconn providers', 'what to give as --provider-url'],
    [`authconn providers --json | jq -r '.providers[].id'`, 'their ids'],
  ],

  async run(ctx): Promise<{ providers: Provider[] }> {
    const { signal } = ctx
    const vault = await ctx.vault()
    return ctx.waitFor('Asking the vault', vault.call('listProviders', {}, { signal }))
  },

  render: (result, view) =>
    table(
      [
        { heading: 'ID', cells: result.providers.map(({ id }) => id) },
        { heading: 'NAME', cells: result.providers.map(({ name }) => name) },
        { heading: 'PROVIDER URL', cells: result.providers.map(({ provider_url }) => provider_url) },
        { heading: 'ISSUER URL', cells: result.providers.map(({ issuer_url }) => issuer_url ?? '-') },
      ],
      view,
    ),
})
