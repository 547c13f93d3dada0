import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { Call, Play } from './play-providers.ts'

export interface Played {
  authorization: string
  token: string
  /** How the client is to prove itself; anything else is what the provider documents for a wrong client. */
  authentication: 'basic' | 'post'
  clientId: string
  clientSecret: string
  /** Its ID tokens. */
  issuer: string
  keys: string
  /** Whether they hold the nonce. */
  nonce: boolean
  claims: Record<string, unknown>
  /** Besides code and state. */
  callback?: Record<string, string>
  /** Besides the tokens. */
  answer: Record<string, unknown>
  refreshTokens: 'once' | 'each time'
  revocation?: string
  userinfo: string
  account: Record<string, unknown>
}

/** Whose access token it is: servers of one company can share where that is asked. */
export type Accounts = Map<string, Record<string, unknown>>

/**
 * A provider that consents at once and holds the vault to what the protocol demands: a code works once, for the redirect URI
 * and the PKCE challenge that it was asked with, and for the client that proves itself as this provider documents it.
 */
export function playAuthorizationServer(played: Played, accounts: Accounts): Play {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }
  const asked = new Map<string, URLSearchParams>()
  let validRefreshToken = ''

  return {
    [`GET ${played.authorization}`]({ url }) {
      const code = `code-${randomBytes(6).toString('hex')}`
      asked.set(code, url.searchParams)
      const back = new URL(url.searchParams.get('redirect_uri') ?? '')
      const added = { code, state: url.searchParams.get('state') ?? '', ...played.callback }
      for (const [name, value] of Object.entries(added)) back.searchParams.set(name, value)
      return { status: 302, location: back.href }
    },

    [`POST ${played.token}`](call) {
      if (!isClient(call)) return { status: 401, json: { error: 'invalid_client' } }
      const { grant_type: grantType, code = '', refresh_token: refreshToken } = call.form
      if (grantType === 'refresh_token') {
        if (refreshToken !== validRefreshToken) return { status: 400, json: { error: 'invalid_grant' } }
        return { json: issue(played.refreshTokens === 'each time') }
      }
      const request = asked.get(code)
      asked.delete(code)
      const challenge = createHash('sha256')
        .update(call.form.code_verifier ?? '')
        .digest('base64url')
      const holds =
        request?.get('redirect_uri') === call.form.redirect_uri && request?.get('code_challenge') === challenge
      if (!request || !holds) return { status: 400, json: { error: 'invalid_grant' } }
      return { json: { ...issue(true), id_token: idToken(request.get('nonce')) } }
    },

    [`GET ${played.keys}`]: () => ({ json: { keys: [jwk] } }),

    [`GET ${played.userinfo}`]({ headers }) {
      const account = accounts.get(headers.authorization?.replace('Bearer ', '') ?? '')
      return account ? { json: account } : { status: 401, json: {} }
    },

    ...(played.revocation === undefined
      ? {}
      : { [`POST ${played.revocation}`]: () => ({ status: 200, json: {} }) }),
  }

  function isClient({ headers, form }: Call): boolean {
    const pair = `${played.clientId}:${played.clientSecret}`
    const basic = headers.authorization === `Basic ${Buffer.from(pair).toString('base64')}`
    const post = form.client_id === played.clientId && form.client_secret === played.clientSecret
    return played.authentication === 'basic' ? basic && !post : post && headers.authorization === undefined
  }

  function issue(withRefreshToken: boolean): Record<string, unknown> {
    const accessToken = `at-${randomBytes(12).toString('hex')}`
    accounts.set(accessToken, played.account)
    if (withRefreshToken) validRefreshToken = `rt-${randomBytes(12).toString('hex')}`
    const refresh = withRefreshToken ? { refresh_token: validRefreshToken } : {}
    return { access_token: accessToken, ...refresh, ...played.answer }
  }

  function idToken(nonce: string | null): string {
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    const life = { iss: played.issuer, aud: played.clientId, iat: now, exp: now + 3600 }
    const claims = { ...life, ...(played.nonce && nonce !== null ? { nonce } : {}), ...played.claims }
    const input = `${encode({ alg: 'RS256', kid: 'k1' })}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
  }
}
