import Type, { type Static } from 'typebox'
import { closed, nullableString } from './common.ts'

export const Provider = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    provider_url: Type.String({ description: 'What to give as provider_url; may hold a {variable}' }),
    issuer_url: nullableString(),
    documentation: Type.String(),
  },
  closed,
)
export type Provider = Static<typeof Provider>

export const ProviderList = Type.Object({ providers: Type.Array(Provider) }, closed)
