import { AuthconnError } from '@authconn/sdk'
import type { NewConnection } from '@authconn/shared'
import type { Context } from '../context.ts'
import { type FlagValues, oneOf, text } from '../flags.ts'
import { clientId, clientSecret, providerUrl } from './answer-rules.ts'
import { askName, givenName, objectionTo } from './connection-name.ts'
import { defined } from './defined.ts'
import { askSecret, askText } from './prompts.ts'
import { readSecret, secretSource } from './read-secret.ts'

export const authMethods = ['client_secret_basic', 'client_secret_post'] as const

export const connectionFlags = {
  type: oneOf(['TYPE_OAUTH2'], 'the type of the connection', 'TYPE_OAUTH2'),
  providerUrl: text('URL', "the provider's issuer, base URL or authorization endpoint"),
  issuerUrl: text('URL', 'the issuer, where it is not the provider URL'),
  clientId: text('ID', 'the client id that the provider gave'),
  clientSecret: text('SECRET', 'the client secret, or - to read it from standard input'),
  clientSecretFile: text('FILE', 'a file that holds the client secret, or - for standard input'),
  tokenEndpointAuthMethod: oneOf(
    authMethods,
    'how to authenticate at the token endpoint, where the provider does not say',
  ),
  authorizationEndpoint: text('URL', 'for a provider that cannot be discovered'),
  tokenEndpoint: text('URL', 'likewise'),
  revocationEndpoint: text('URL', 'likewise, where it has one (RFC 7009)'),
  introspectionEndpoint: text('URL', 'likewise (RFC 7662)'),
  userinfoEndpoint: text('URL', 'likewise (OpenID Connect)'),
  jwksUri: text('URL', 'likewise: its keys, to check ID tokens with'),
}

/** A new connection from flags and, for what they leave out, from questions. Throws usage where nobody can be asked. */
export async function newConnection(
  ctx: Context,
  flags: FlagValues<typeof connectionFlags> & { name: string | undefined },
  operands: readonly string[],
): Promise<NewConnection> {
  const name = givenName(flags, operands)
  const source = secretSource(flags)
  const missing = [
    ...(name === undefined ? ['--name'] : []),
    ...(flags.providerUrl === undefined ? ['--provider-url'] : []),
    ...(flags.clientId === undefined ? ['--client-id'] : []),
    ...(source === undefined ? ['--client-secret-file'] : []),
  ]
  if (missing.length > 0 && !ctx.interactive) throw new AuthconnError('usage', `Missing: ${missing.join(', ')}.`)
  // Nobody should answer four questions to learn that the name was taken.
  const objection = missing.length > 0 && name !== undefined ? await objectionTo(ctx, name) : undefined
  if (objection) throw objection
  return {
    name: name ?? (await askName(ctx)),
    provider_url:
      flags.providerUrl ?? (await askText(ctx, "Provider URL (the provider's issuer, for example)", providerUrl)),
    client_id: flags.clientId ?? (await askText(ctx, 'Client id', clientId)),
    client_secret:
      source === undefined ? await askSecret(ctx, 'Client secret', clientSecret) : await readSecret(ctx, source),
    ...defined({
      type: flags.type,
      issuer_url: flags.issuerUrl,
      token_endpoint_auth_method: flags.tokenEndpointAuthMethod,
      authorization_endpoint: flags.authorizationEndpoint,
      token_endpoint: flags.tokenEndpoint,
      revocation_endpoint: flags.revocationEndpoint,
      introspection_endpoint: flags.introspectionEndpoint,
      userinfo_endpoint: flags.userinfoEndpoint,
      jwks_uri: flags.jwksUri,
    }),
  }
}
