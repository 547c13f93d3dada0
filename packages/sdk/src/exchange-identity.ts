import type { Operation } from '@authconn/shared'
import type { IssuedKey } from './api-keys.ts'
import { AuthconnError } from './authconn-error.ts'
import { checkApiKey } from './check-settings.ts'
import type { IdentitySettings } from './identity.ts'
import { parseObject } from './read-text.ts'

type Exchange = Operation<'exchangeToken'>

/** Asks for an OIDC token, and the vault for a key in exchange for it (RFC 8693). Throws what either says. */
export async function exchangeIdentity(
  { identity, audience, workspace, trust }: IdentitySettings,
  asked: { signal: AbortSignal; fetch: typeof fetch },
  ask: (body: Exchange['body']) => Promise<Exchange['response']>,
): Promise<IssuedKey> {
  const token = await identity({ audience, ...asked })
  if (typeof token !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) {
    throw new AuthconnError(
      'identity_token_unavailable',
      'What came as an OIDC token is not a signed token (JWT).',
    )
  }
  const body: Exchange['body'] = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    ...(workspace === undefined ? {} : { workspace }),
    ...(trust === undefined ? {} : { trust }),
  }
  const { access_token, expires_in } = await ask(body)
  return { apiKey: checkApiKey(access_token), life: expires_in }
}

/** The refusal of a token. The vault does not say why, to whomever asks; what was sent is known here. */
export function explainRefusal(error: AuthconnError, token: string): AuthconnError {
  const { status, title, hint, requestId } = error
  // The title is told beside it.
  const more = error.detail === title ? '' : `${error.detail.replace(/\.$/, '')}. `
  return new AuthconnError('identity_refused', `${more}Sent was ${describeToken(token)}.`, {
    ...{ status, title, hint, cause: error },
    ...(requestId === undefined ? {} : { requestId }),
  })
}

/** What a token says of itself, which nobody has verified here: for people who look for the difference. */
export function describeToken(token: string): string {
  const claims = readClaims(token)
  const of = (name: string) => {
    const value: unknown = claims === undefined ? undefined : Reflect.get(claims, name)
    return value === undefined ? 'none' : (JSON.stringify(value) ?? '').slice(0, 300)
  }
  return `a token with iss ${of('iss')}, aud ${of('aud')}, sub ${of('sub')}`
}

/** undefined where it is no JWT. Not verified. */
export function readClaims(token: string): object | undefined {
  const [, payload = ''] = token.split('.')
  try {
    const bytes = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    return parseObject(new TextDecoder().decode(Uint8Array.from(bytes, (sign) => sign.charCodeAt(0))))
  } catch {
    // Not base64: the vault refuses it, too.
    return undefined
  }
}
