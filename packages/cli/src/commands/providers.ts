import type { Provider } from '@authconn/shared'
import { defineCommand } from '../command.ts'
import { findProvider, listProviders } from '../list-providers.ts'
import { plainLine } from '../output/plain.ts'
import { describeProvider } from '../output/provider.ts'
import { table } from '../output/table.ts'

export const providers = defineCommand({
  description:
    'For these the vault knows the endpoints and habits. Others are discovered from their URL (OpenID Connect Discovery, RFC 8414), or their endpoints are given by flags of authconn create.',
  operand: { label: 'provider', help: 'all that is known of one provider, and where that is from' },
  flags: {},
  examples: [
    ['authconn providers', 'what to give as --provider or --provider-url'],
    [
      'authconn providers quickbooks',
      'its scopes, where to register an application and which redirect URI to enter',
    ],
    [`authconn providers --json | jq -r '.providers[].id'`, 'their names'],
  ],

  async run(ctx, _flags, [name]): Promise<{ providers: Provider[] }> {
    return { providers: name === undefined ? await listProviders(ctx) : [await findProvider(ctx, name)] }
  },

  render({ providers: found }, view) {
    const [only] = found
    if (only && found.length === 1)
      return `${view.paint.bold(plainLine(only.name))}\n${describeProvider(only, view)}`
    return table(
      [
        { heading: 'NAME', cells: found.map(({ id }) => id), whole: true },
        { heading: 'PROVIDER', cells: found.map(({ name }) => name) },
        { heading: 'PROVIDER URL', cells: found.map(({ provider_url }) => provider_url), whole: true },
      ],
      view,
    )
  },
})
