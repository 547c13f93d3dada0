import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { createSigningKey } from '../../oauth/support/signing.ts'
import type { Misbehaviour } from './misbehaviours.ts'

/** What a hostile provider does in the place of what it should; what is not given it does as it should. */
export interface Plan {
  metadata?: (honest: Record<string, unknown>) => object
  metadataWire?: Misbehaviour
  /** Claims of the ID token, from those that would be right. */
  claims?: (honest: Record<string, unknown>) => object
  /** The whole ID token. */
  idToken?: (claims: object) => unknown
  jwks?: (honest: object[]) => object[]
  jwksWire?: Misbehaviour
  tokenWire?: Misbehaviour
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A provider on loopback that is honest but for its plan. It asks nobody to sign in. */
export async function startHostileProvider() {
  const key = createSigningKey('key-1')
  let plan: Plan = {}
  let nonce: string | null = null
  let origin = ''
  const requests: string[] = []

  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    request.socket.on('error', () => undefined)
    const send = (body: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    // The whole request first: a client must not learn of its answer while it is still asking.
    for await (const _ of request);
    switch (request.url) {
      case '/.well-known/openid-configuration':
        if (plan.metadataWire) return plan.metadataWire(request, response)
        return send(plan.metadata?.(metadata()) ?? metadata())
      case '/jwks':
        if (plan.jwksWire) return plan.jwksWire(request, response)
        return send({ keys: plan.jwks?.([key.jwk]) ?? [key.jwk] })
      case '/token':
        return plan.tokenWire ? plan.tokenWire(request, response) : send(tokens())
      case '/revoke':
        return send({})
      default:
        return response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  origin = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`

  return {
    origin,
    requests,
    key,
    /** Behaves like this from now on. */
    plan(next: Plan) {
      plan = next
      requests.length = 0
    },
    /** What the browser is sent back with. */
    redirect(authorizationUrl: URL, changes: (parameters: URLSearchParams) => void = () => undefined): string {
      const asked = authorizationUrl.searchParams
      nonce = asked.get('nonce')
      const url = new URL(asked.get('redirect_uri') ?? '')
      url.search = new URLSearchParams({ code: 'c0de', state: asked.get('state') ?? '', iss: origin }).toString()
      changes(url.searchParams)
      return url.href
    },
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }

  function metadata(): Record<string, unknown> {
    return {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      revocation_endpoint: `${origin}/revoke`,
      jwks_uri: `${origin}/jwks`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    }
  }

  function tokens(): object {
    const now = Math.floor(Date.now() / 1000)
    const honest = { iss: origin, sub: 'alice', aud: 'hostile', iat: now, exp: now + 300, nonce }
    const claims = plan.claims?.(honest) ?? honest
    const id_token = plan.idToken ? plan.idToken(claims) : key.sign(claims)
    return { access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt', id_token }
  }
}

/** A JWT by whatever header, and signed by whatever text as the secret of HS256. */
export function signByText(header: object, claims: object, secret: string | Buffer): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export const strangeKey = createSigningKey('key-1')
export const unknownKey = createSigningKey('key-unknown')

/** A short RSA key, as nobody should have. */
export const shortJwk = () =>
  generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }) as object
