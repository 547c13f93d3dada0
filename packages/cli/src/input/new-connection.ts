import { AuthconnError } from '@authconn/sdk'
import type { NewConnection } from '@authconn/shared'
import type { Context } from '../context.ts'
import { type FlagValues, oneOf, text } from '../flags.ts'
import { clientId, clientSecret, isProviderName, provider } from './answer-rules.ts'
import { authenticationFlags, readClientKey } from './client-key.ts'
import { askName, givenName, objectionTo } from './connection-name.ts'
import { defined } from './defined.ts'
import { grantFields, grantFlags, readServiceAccount } from './grant-type.ts'
import { askSecret, askText } from './prompts.ts'
import { readSecret, secretSource } from './read-secret.ts'

export const connectionFlags = {
  type: oneOf(['TYPE_OAUTH2'], 'the type of the connection', 'TYPE_OAUTH2'),
  provider: text('NAME', 'a provider that the vault knows by name (authconn providers)'),
  providerUrl: text('URL', "the provider's issuer, base URL or authorization endpoint"),
  tenant: text('TENANT', 'for a known provider whose URLs hold one, such as microsoft'),
  subdomain: text('SUBDOMAIN', 'likewise, such as salesforce'),
  region: text('REGION', 'likewise'),
  issuerUrl: text('URL', 'the issuer, where it is not the provider URL'),
  clientId: text('ID', 'the client id that the provider gave'),
  clientSecret: text('SECRET', 'the client secret, or - to read it from standard input'),
  clientSecretFile: text('FILE', 'a file that holds the client secret, or - for standard input'),
  ...authenticationFlags,
  ...grantFlags,
  authorizationEndpoint: text('URL', 'for a provider that cannot be discovered'),
  tokenEndpoint: text('URL', 'likewise'),
  revocationEndpoint: text('URL', 'likewise, where it has one (RFC 7009)'),
  introspectionEndpoint: text('URL', 'likewise (RFC 7662)'),
  userinfoEndpoint: text('URL', 'likewise (OpenID Connect)'),
  jwksUri: text('URL', 'likewise: its keys, to check ID tokens with'),
  pushedAuthorizationRequestEndpoint: text('URL', 'where authorization requests are to be pushed (RFC 9126)'),
  deviceAuthorizationEndpoint: text('URL', 'where authorize --device begins (RFC 8628)'),
}

/** A new connection from flags and, for what they leave out, from questions. Throws usage where nobody can be asked. */
export async function newConnection(
  ctx: Context,
  flags: FlagValues<typeof connectionFlags> & { name: string | undefined },
  operands: readonly string[],
): Promise<NewConnection> {
  const name = givenName(flags, operands)
  const account = await readServiceAccount(ctx, flags)
  const source = secretSource(flags)
  const method = flags.clientAuth
  if (account && (flags.privateKeyFile !== undefined || source !== undefined)) {
    throw new AuthconnError('usage', '--service-account-file has the key: give no other key or secret beside it.')
  }
  if (flags.privateKeyFile !== undefined && source !== undefined) {
    throw new AuthconnError('usage', 'Give a client secret or --private-key-file, not both.')
  }
  const hasKey = flags.privateKeyFile !== undefined || account !== undefined
  if (method !== undefined && !method.startsWith('client_secret') && !hasKey) {
    throw new AuthconnError('usage', `${method} needs a private key: add --private-key-file.`)
  }
  const key = account?.key ?? (await readClientKey(ctx, flags))
  if (flags.provider !== undefined && flags.providerUrl !== undefined) {
    throw new AuthconnError('usage', 'Give --provider or --provider-url, not both.')
  }
  const isNamed =
    flags.provider !== undefined || flags.providerUrl !== undefined || account?.provider !== undefined
  const knownProvider = flags.providerUrl === undefined ? (flags.provider ?? account?.provider) : undefined
  const givenClientId = flags.clientId ?? account?.clientId
  // Assertions are signed, which a secret cannot do.
  const needsKey = flags.grantType === 'jwt_bearer'
  const secretFlag = needsKey ? '--private-key-file' : '--client-secret-file'
  const missing = [
    ...(name === undefined ? ['--name'] : []),
    ...(isNamed ? [] : ['--provider or --provider-url']),
    ...(givenClientId === undefined ? ['--client-id'] : []),
    ...(!key && (needsKey || source === undefined) ? [secretFlag] : []),
  ]
  // A key is never typed.
  const cannotAsk = !ctx.interactive || missing.includes('--private-key-file')
  if (missing.length > 0 && cannotAsk) throw new AuthconnError('usage', `Missing: ${missing.join(', ')}.`)
  // Nobody should answer four questions to learn that the name was taken.
  const objection = missing.length > 0 && name !== undefined ? await objectionTo(ctx, name) : undefined
  if (objection) throw objection
  return {
    name: name ?? (await askName(ctx)),
    ...(isNamed ? {} : await askProvider(ctx)),
    client_id: givenClientId ?? (await askText(ctx, 'Client id', clientId)),
    ...(key ? { client_key: key } : { client_secret: await secretOf(ctx, source) }),
    ...defined({
      type: flags.type,
      provider: knownProvider,
      provider_url: flags.providerUrl,
      tenant: flags.tenant,
      subdomain: flags.subdomain,
      region: flags.region,
      issuer_url: flags.issuerUrl,
      token_endpoint_auth_method: method,
      authorization_endpoint: flags.authorizationEndpoint,
      token_endpoint: flags.tokenEndpoint,
      revocation_endpoint: flags.revocationEndpoint,
      introspection_endpoint: flags.introspectionEndpoint,
      userinfo_endpoint: flags.userinfoEndpoint,
      jwks_uri: flags.jwksUri,
      pushed_authorization_request_endpoint: flags.pushedAuthorizationRequestEndpoint,
      device_authorization_endpoint: flags.deviceAuthorizationEndpoint,
      ...grantFields(flags, account),
    }),
  }
}

async function askProvider(ctx: Context): Promise<Pick<NewConnection, 'provider' | 'provider_url'>> {
  const question = "Provider URL (the provider's issuer, for example), or a name from authconn providers"
  const answer = await askText(ctx, question, provider)
  return isProviderName(answer) ? { provider: answer } : { provider_url: answer }
}

function secretOf(ctx: Context, source: ReturnType<typeof secretSource>): Promise<string> {
  return source === undefined ? askSecret(ctx, 'Client secret', clientSecret) : readSecret(ctx, source)
}
