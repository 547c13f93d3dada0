import { AuthconnError } from '@authconn/sdk'
import type { NewClientKey, NewConnection } from '@authconn/shared'
import type { Context } from '../context.ts'
import { type FlagValues, oneOf, several, text, toggle, words } from '../flags.ts'
import { defined } from './defined.ts'
import { readTextFile } from './read-secret.ts'

/** How a connection comes by its tokens, and what it asks for where nobody is asked to consent. */
export const grantFlags = {
  grantType: oneOf(
    ['authorization_code', 'client_credentials', 'jwt_bearer'],
    'how tokens are come by: somebody consents, the client itself, or assertions that its key signs; authorization_code unless given',
  ),
  scopes: words('LIST', 'what is asked for where nobody consents, separated by commas'),
  audience: text('AUDIENCE', 'likewise, for providers that want to know for which API (client_credentials)'),
  resource: several('URI', 'likewise by RFC 8707'),
  serviceAccountFile: text('FILE', 'the JSON key file of a Google service account, in the place of id and key'),
  assertionIssuer: text('ISSUER', 'who assertions are from; the client id unless given (jwt_bearer)'),
  assertionSubject: text('SUBJECT', "whose account the application's own tokens act for (jwt_bearer)"),
  assertionAudience: text('AUDIENCE', 'who assertions are for, where the provider is not enough (jwt_bearer)'),
  scopeClaim: toggle('put the scopes into the assertion, and not beside it (jwt_bearer)'),
}

type Given = FlagValues<typeof grantFlags>

/** What the key file of a service account holds. */
export interface ServiceAccount {
  clientId: string
  issuer: string
  key: NewClientKey
  provider: 'google' | undefined
}

/** undefined when no flag gives one. Throws usage; no error holds what is in the file. */
export async function readServiceAccount(
  ctx: Pick<Context, 'signal'>,
  { serviceAccountFile: file, grantType }: Given,
): Promise<ServiceAccount | undefined> {
  if (file === undefined) return undefined
  if (grantType !== undefined && grantType !== 'jwt_bearer') {
    throw new AuthconnError('usage', '--service-account-file is for --grant-type jwt_bearer.')
  }
  const values = parse(await readTextFile(ctx, file, 'service account key'))
  const { client_email: issuer, private_key: privateKey, private_key_id: keyId, client_id: id } = values
  if (typeof issuer !== 'string' || typeof privateKey !== 'string') {
    throw new AuthconnError(
      'usage',
      `${file} is no key of a service account: it lacks client_email or private_key.`,
    )
  }
  return {
    clientId: typeof id === 'string' && id !== '' ? id : issuer,
    issuer,
    key: { private_key: privateKey, ...(typeof keyId === 'string' && keyId !== '' ? { key_id: keyId } : {}) },
    provider: values.token_uri === 'https://oauth2.googleapis.com/token' ? 'google' : undefined,
  }
}

/** The fields of a new connection. Throws usage for what the grant type has no place for. */
export function grantFields(flags: Given, account: ServiceAccount | undefined): Partial<NewConnection> {
  const grantType = flags.grantType ?? (account ? 'jwt_bearer' : undefined)
  const assertion = defined({
    issuer: flags.assertionIssuer ?? account?.issuer,
    subject: flags.assertionSubject,
    audience: flags.assertionAudience,
    scope_claim: flags.scopeClaim,
  })
  const hasAssertion = Object.keys(assertion).length > 0
  if (hasAssertion && grantType !== 'jwt_bearer') {
    throw new AuthconnError('usage', 'What assertions say goes with --grant-type jwt_bearer.')
  }
  const { scopes, audience, resource } = flags
  if (
    (scopes ?? audience ?? resource) !== undefined &&
    (grantType ?? 'authorization_code') === 'authorization_code'
  ) {
    throw new AuthconnError(
      'usage',
      '--scopes, --audience and --resource go with --grant-type client_credentials or jwt_bearer; others ask for scopes at authconn authorize.',
    )
  }
  return defined({
    grant_type: grantType,
    scopes,
    audience,
    resource,
    assertion: hasAssertion ? assertion : undefined,
  })
}

/** The parser's own message would quote the file. */
function parse(content: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(content)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
