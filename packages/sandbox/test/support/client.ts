import { createHash, randomBytes } from 'node:crypto'
import { type BrowseOptions, browse, endpoints, type Sandbox, type SandboxClient } from '../../src/index.ts'

export interface TokenAnswer {
  access_token: string
  refresh_token: string
  expires_in: number
  token_type: string
  scope?: string
  id_token?: string
}

/** A client of the sandbox as plain as the protocol, so that a test sees what is on the wire. */
export function createClient(sandbox: Sandbox, client: SandboxClient = sandbox.client) {
  const verifier = randomBytes(32).toString('base64url')
  const redirectUri = 'http://127.0.0.1:8080/callback'

  function authorizationUrl(params: Record<string, string | undefined> = {}): string {
    const url = new URL(endpoints.authorization, sandbox.issuer)
    const all = {
      response_type: 'code',
      client_id: client.client_id,
      redirect_uri: redirectUri,
      state: 'the-state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...params,
    }
    for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value)
    return url.href
  }

  function post(
    endpoint: 'token' | 'revocation' | 'introspection',
    params: Record<string, string>,
    signal?: AbortSignal,
  ) {
    const inBody = client.token_endpoint_auth_method === 'client_secret_post'
    const { client_id, client_secret } = client
    // RFC 6749 section 2.3.1 wants both form-encoded within Basic.
    const basic = btoa([client_id, client_secret].map(encodeURIComponent).join(':'))
    return fetch(new URL(endpoints[endpoint], sandbox.issuer), {
      method: 'POST',
      redirect: 'manual',
      headers: inBody ? {} : { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ ...params, ...(inBody && { client_id, client_secret }) }),
      ...(signal && { signal }),
    })
  }

  async function authorize(params?: Record<string, string | undefined>, options?: BrowseOptions) {
    const { redirectedUrl } = await browse(authorizationUrl(params), options)
    return new URL(redirectedUrl).searchParams
  }

  function exchange(code: string, uri = redirectUri) {
    return post('token', { grant_type: 'authorization_code', code, redirect_uri: uri, code_verifier: verifier })
  }

  return {
    authorizationUrl,
    authorize,
    exchange,
    post,
    refresh: (refresh_token: string, signal?: AbortSignal) =>
      post('token', { grant_type: 'refresh_token', refresh_token }, signal),
    async signIn(scope?: string): Promise<TokenAnswer> {
      const nonce = scope?.includes('openid') ? 'the-nonce' : undefined
      const callback = await authorize({ scope, nonce })
      return readTokens(await exchange(callback.get('code') ?? ''))
    },
  }
}

export async function readTokens(response: Response): Promise<TokenAnswer> {
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as TokenAnswer
}

export async function readError(response: Response): Promise<{ status: number; error: string }> {
  const { error } = (await response.json()) as { error: string }
  return { status: response.status, error }
}
