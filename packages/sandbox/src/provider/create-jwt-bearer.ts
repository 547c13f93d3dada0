import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import type { Provider } from 'oidc-provider'
import type { Context, Next } from '../http/context.ts'
import { endpoints, findEndpoint } from '../http/endpoints.ts'
import { readForm } from '../http/read-form.ts'
import type { SandboxClient } from './clients.ts'
import type { Mint } from './create-mint.ts'
import { defaultScope } from './scopes.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Seconds that an assertion may be valid for, at most. */
const longestLife = 3600

/**
 * Tokens for service accounts (RFC 7523 section 2.1), which the library does not have: an assertion that is signed by a
 * registered key gives one, without further authentication. Such tokens are revoked without authentication, too.
 */
export function createJwtBearer(deps: {
  provider: Provider
  issuer: string
  clients: readonly SandboxClient[]
  mint: Mint
}) {
  const { provider, issuer, clients, mint } = deps
  const used = new Set<string>()

  return async function jwtBearer(ctx: Context, next: Next) {
    const endpoint = findEndpoint(ctx.path)
    if (ctx.method !== 'POST' || (endpoint !== 'token' && endpoint !== 'revocation')) return next()
    const form = await readForm(ctx)
    if (endpoint === 'revocation' && isAnonymous(ctx, form)) return revoke(ctx, form.get('token') ?? '')
    if (endpoint !== 'token' || form.get('grant_type') !== grantType) return next()
    const answer = await issue(form)
    ctx.set({ 'cache-control': 'no-store' })
    ctx.status = 'error' in answer ? 400 : 200
    ctx.body = answer
  }

  async function issue(form: URLSearchParams) {
    const refused = (why: string) => ({ error: 'invalid_grant', error_description: why })
    const [head = '', payload = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const { alg, kid } = readPart(head)
    const claims = readPart(payload)
    const client = clients.find(({ client_id, service_account }) => (service_account ?? client_id) === claims.iss)
    const key = client?.jwks?.keys.find((each) => kid === undefined || each.kid === kid)
    if (!client || !key) return refused('nobody knows that issuer, or its key')
    const isSigned = verifySignature(String(alg), key as JsonWebKey, `${head}.${payload}`, signature)
    if (!isSigned) return refused('the signature is not valid')
    if (claims.aud !== issuer && claims.aud !== issuer + endpoints.token)
      return refused('the audience is another one')
    const now = Date.now() / 1000
    const { iat, exp, jti, sub, scope } = claims
    if (typeof exp !== 'number' || exp <= now || exp > now + longestLife)
      return refused('exp is too early or too late')
    if (typeof iat !== 'number' || iat > now + 1) return refused('iat is missing, or to come')
    if (typeof jti === 'string' && used.has(jti)) return refused('the assertion was used already')
    if (typeof jti === 'string') used.add(jti)
    const asked = String(scope ?? form.get('scope') ?? defaultScope)
    const tokens = await mint({ account: String(sub ?? claims.iss), scope: asked, clientId: client.client_id })
    const { access_token, expires_in, token_type } = tokens
    return { access_token, expires_in, token_type, scope: tokens.scope }
  }

  async function revoke(ctx: Context, value: string) {
    const token = await provider.AccessToken.find(value)
    await token?.destroy()
    ctx.status = 200
    ctx.body = ''
  }
}

function isAnonymous(ctx: Context, form: URLSearchParams): boolean {
  const named = ['client_id', 'client_secret', 'client_assertion'].some((name) => form.has(name))
  return ctx.req.headers.authorization === undefined && !named
}

function readPart(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function verifySignature(alg: string, jwk: JsonWebKey, signed: string, signature: string): boolean {
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const bytes = Buffer.from(signature, 'base64url')
  if (alg === 'RS256' && key.asymmetricKeyType === 'rsa') return verify('sha256', Buffer.from(signed), key, bytes)
  if (alg === 'ES256' && key.asymmetricKeyType === 'ec') {
    return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, bytes)
  }
  return alg === 'EdDSA' && key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(signed), key, bytes)
}
