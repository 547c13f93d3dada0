import { AuthconnError } from '@authconn/sdk'
import type { NewConnection } from '@authconn/shared'
import type { Context } from '../context.ts'
import { type FlagValues, oneOf, text } from '../flags.ts'
import { clientId, clientSecret, providerUrl } from './answer-rules.ts'
import { authenticationFlags, authMethod, readClientKey } from './client-key.ts'
import { askName, givenName, objectionTo } from './connection-name.ts'
import { defined } from './defined.ts'
import { askSecret, askText } from './prompts.ts'
import { readSecret, secretSource } from './read-secret.ts'

export const connectionFlags = {
  type: oneOf(['TYPE_OAUTH2'], 'the type of the connection', 'TYPE_OAUTH2'),
  providerUrl: text('URL', "the provider's issuer, base URL or authorization endpoint"),
  issuerUrl: text('URL', 'the issuer, where it is not the provider URL'),
  clientId: text('ID', 'the client id that the provider gave'),
  clientSecret: text('SECRET', 'the client secret, or - to read it from standard input'),
  clientSecretFile: text('FILE', 'a file that holds the client secret, or - for standard input'),
  ...authenticationFlags,
  authorizationEndpoint: text('URL', 'for a provider that cannot be discovered'),
  tokenEndpoint: text('URL', 'likewise'),
  revocationEndpoint: text('URL', 'likewise, where it has one (RFC 7009)'),
  introspectionEndpoint: text('URL', 'likewise (RFC 7662)'),
  userinfoEndpoint: text('URL', 'likewise (OpenID Connect)'),
  jwksUri: text('URL', 'likewise: its keys, to check ID tokens with'),
  pushedAuthorizationRequestEndpoint: text('URL', 'where authorization requests are to be pushed (RFC 9126)'),
}

/** A new connection from flags and, for what they leave out, from questions. Throws usage where nobody can be asked. */
export async function newConnection(
  ctx: Context,
  flags: FlagValues<typeof connectionFlags> & { name: string | undefined },
  operands: readonly string[],
): Promise<NewConnection> {
  const name = givenName(flags, operands)
  const source = secretSource(flags)
  const method = authMethod(flags)
  if (flags.privateKeyFile !== undefined && source !== undefined) {
    throw new AuthconnError('usage', 'Give a client secret or --private-key-file, not both.')
  }
  if (method !== undefined && !method.startsWith('client_secret') && flags.privateKeyFile === undefined) {
    throw new AuthconnError('usage', `${method} needs a private key: add --private-key-file.`)
  }
  const key = await readClientKey(ctx, flags)
  const missing = [
    ...(name === undefined ? ['--name'] : []),
    ...(flags.providerUrl === undefined ? ['--provider-url'] : []),
    ...(flags.clientId === undefined ? ['--client-id'] : []),
    ...(source === undefined && !key ? ['--client-secret-file'] : []),
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
    ...(key ? { client_key: key } : { client_secret: await secretOf(ctx, source) }),
    ...defined({
      type: flags.type,
      issuer_url: flags.issuerUrl,
      token_endpoint_auth_method: method,
      authorization_endpoint: flags.authorizationEndpoint,
      token_endpoint: flags.tokenEndpoint,
      revocation_endpoint: flags.revocationEndpoint,
      introspection_endpoint: flags.introspectionEndpoint,
      userinfo_endpoint: flags.userinfoEndpoint,
      jwks_uri: flags.jwksUri,
      pushed_authorization_request_endpoint: flags.pushedAuthorizationRequestEndpoint,
    }),
  }
}

function secretOf(ctx: Context, source: ReturnType<typeof secretSource>): Promise<string> {
  return source === undefined ? askSecret(ctx, 'Client secret', clientSecret) : readSecret(ctx, source)
}
