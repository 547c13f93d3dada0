import { createHash, randomBytes } from 'node:crypto'
import { recognizeProvider } from '../../../packages/server/src/adapters/oauth/providers.ts'
import { fillUrl } from '../../../packages/server/src/adapters/oauth/url-template.ts'
import type { SigningKey } from '../../../packages/server/test/oauth/support/signing.ts'

export interface Call {
  method: string
  url: URL
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: string
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

/** What somebody consented to, or an application asked for itself. */
interface Consent {
  clientId: string
  scope: string
  redirectUri?: string
  challenge?: string | undefined
  nonce?: string | undefined
  issuer?: string | undefined
  tokenType?: string | undefined
}

/**
 * Every provider and every API, by whatever name it is called: it consents at once, exchanges a code once, for the
 * redirect URI and verifier it was asked for with, rotates refresh tokens, and its APIs answer only who brings a token.
 */
export function playProvider(key: SigningKey): (call: Call) => Answer {
  const codes = new Map<string, Consent>()
  const refreshTokens = new Map<string, Consent>()
  const accessTokens = new Set<string>()
  const take = (from: Map<string, Consent>, value: string | null) => {
    const found = from.get(value ?? '')
    from.delete(value ?? '')
    return found
  }

  return (call) => {
    const { url, method } = call
    const form = formOf(call)
    if (url.pathname.includes('/.well-known/')) return { status: 200, body: metadataOf(url) }
    if (/jwks|certs|keys$/.test(url.pathname)) return { status: 200, body: { keys: [key.jwk] } }
    if (form.has('grant_type')) return grant(form, url)
    if (method === 'GET' && url.searchParams.has('redirect_uri')) return consent(url)
    if (/device(?:_authorization|\/?code)$/.test(url.pathname)) return { status: 200, body: deviceCodeOf(url) }
    if (/revoke|deauthorize|uninstall|\/grant$/.test(url.pathname)) return { status: 200, body: { ok: true } }
    return callApi(call)
  }

  function consent(url: URL): Answer {
    const asked = (name: string) => url.searchParams.get(name) ?? undefined
    const entry = recognizeProvider(url)
    const redirect = new URL(asked('redirect_uri') ?? '')
    const code = randomBytes(16).toString('base64url')
    codes.set(code, {
      clientId: asked('client_id') ?? '',
      scope: asked('scope') ?? '',
      redirectUri: redirect.href,
      challenge: asked('code_challenge'),
      nonce: asked('nonce'),
      issuer: entry ? issuerOf(entry) : url.origin,
      tokenType: entry?.entry.token_answer?.token_types?.[0],
    })
    redirect.searchParams.set('code', code)
    redirect.searchParams.set('state', asked('state') ?? '')
    if (entry?.entry.callback_metadata) redirect.searchParams.set('realmId', '9130347596842384')
    return { status: 302, headers: { location: redirect.href } }
  }

  function grant(form: URLSearchParams, url: URL): Answer {
    const type = form.get('grant_type')
    if (type === 'authorization_code') {
      const found = take(codes, form.get('code'))
      const verifier = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      if (!found || found.redirectUri !== form.get('redirect_uri')) return refused()
      return found.challenge === undefined || found.challenge === verifier ? issue(found, true) : refused()
    }
    if (type === 'refresh_token') {
      const found = take(refreshTokens, form.get('refresh_token'))
      return found ? issue(found, true) : refused()
    }
    const own = { clientId: form.get('client_id') ?? '', scope: form.get('scope') ?? '' }
    return issue({ ...own, issuer: url.origin }, false)
  }

  function issue(to: Consent, refreshable: boolean): Answer {
    const [access, refresh] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')]
    accessTokens.add(access)
    if (refreshable) refreshTokens.set(refresh, to)
    const now = Math.floor(Date.now() / 1000)
    const { issuer: iss, clientId: aud, nonce, scope } = to
    const claims = { iss, aud, nonce, tid: tenant, sub: '1001', email: account.email, iat: now, exp: now + 3600 }
    const openid = refreshable && iss !== undefined && /\bopenid\b/.test(scope)
    const tokens = {
      ...{ access_token: access, token_type: to.tokenType ?? 'Bearer', expires_in: 3600 },
      ...(scope === '' ? {} : { scope }),
      ...(refreshable ? { refresh_token: refresh } : {}),
      ...(openid ? { id_token: key.sign(claims) } : {}),
    }
    return { status: 200, body: { ...ofTokenAnswers, ...tokens } }
  }

  function callApi({ headers, url }: Call): Answer {
    const [, token = ''] = /^(?:Bearer|token) (.+)$/i.exec(String(headers.authorization ?? '')) ?? []
    return accessTokens.has(token)
      ? { status: 200, body: { ...account, url: url.href } }
      : { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { error: 'invalid_token' } }
  }
}

const refused = (): Answer => ({ status: 400, body: { error: 'invalid_grant' } })

/** One that counts at once. */
const deviceCodeOf = ({ origin }: URL) => ({
  ...{ device_code: 'device-code', user_code: 'WDJB-MJHT', verification_uri: `${origin}/device` },
  ...{ expires_in: 900, interval: 1 },
})

/** Whose issuer depends on the account. */
const tenant = '6babcaad-604b-40ac-a9d7-9fd97c0b779f'

/** Who has consented, in the shapes in which APIs tell it. */
const account = {
  ...{ sub: '1001', id: '1001', email: 'ann@acme.example', login: 'ann', name: 'Ann', ok: true },
  data: { viewer: { id: '1001', name: 'Ann', email: 'ann@acme.example' }, organization: { name: 'Acme' } },
}

/** What token answers of some providers hold besides the token. */
const ofTokenAnswers = {
  ...{ ok: true, instance_url: 'https://acme.my.salesforce.com', stripe_user_id: 'acct_1001' },
  ...{ team: { id: 'T1001', name: 'Acme' }, workspace_id: 'w1001', workspace_name: 'Acme' },
}

function issuerOf({ entry, variables }: NonNullable<ReturnType<typeof recognizeProvider>>): string | undefined {
  return entry.issuer_url ? fillUrl(entry.issuer_url, { ...variables, tenantid: tenant }) : undefined
}

/** That of a provider which no catalog knows. */
function metadataOf({ origin: issuer, pathname }: URL): unknown {
  if (!pathname.startsWith('/.well-known/')) return {}
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    revocation_endpoint: `${issuer}/revoke`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [
      ...['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
      'self_signed_tls_client_auth',
    ],
  }
}

function formOf({ body, headers }: Call): URLSearchParams {
  if (!String(headers['content-type']).includes('json')) return new URLSearchParams(body)
  const fields: Record<string, unknown> = body === '' ? {} : JSON.parse(body)
  return new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)]))
}
