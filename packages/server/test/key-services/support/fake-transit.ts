import { createServiceKey } from './cipher.ts'
import { type Call, type FakeService, type Reply, serveKeyService } from './serve-key-service.ts'

export interface FakeTransit extends FakeService {
  /** As AUTHCONN_KEK names its key. */
  kek: string
  /** The tokens it takes. */
  tokens: Set<string>
  /** The JWTs it takes at a login for the role `authconn`, and what it then gives. */
  logins: Map<string, { token: string; seconds: number }>
}

/** HashiCorp Vault's transit engine with one key. `before113` takes no notice of associated data, as it was then. */
export async function fakeTransit(options: { before113?: boolean } = {}): Promise<FakeTransit> {
  const key = createServiceKey()
  const tokens = new Set(['hvs.the-token'])
  const logins: FakeTransit['logins'] = new Map()
  const service = await serveKeyService((call) => {
    if (call.method !== 'POST' || call.headers['x-vault-request'] !== 'true')
      return refuse(400, 'not as a client asks')
    if (call.path === '/v1/auth/kubernetes/login') return logIn(call)
    return tokens.has(String(call.headers['x-vault-token'])) ? operate(call) : refuse(403, 'permission denied')
  })

  function logIn({ body }: Call): Reply {
    const login = body.role === 'authconn' ? logins.get(body.jwt) : undefined
    if (!login) return refuse(403, 'permission denied')
    tokens.add(login.token)
    return { status: 200, body: { auth: { client_token: login.token, lease_duration: login.seconds } } }
  }

  function operate({ path, body }: Call): Reply {
    const associated: string = options.before113 ? '' : (body.associated_data ?? '')
    switch (path) {
      case '/v1/team/transit/encrypt/authconn': {
        const ciphertext = key.encrypt(Buffer.from(body.plaintext, 'base64'), associated).toString('base64')
        return { status: 200, body: { data: { ciphertext: `vault:v1:${ciphertext}`, key_version: 1 } } }
      }
      case '/v1/team/transit/decrypt/authconn': {
        if (!body.ciphertext.startsWith('vault:v1:')) return refuse(400, 'invalid ciphertext: no prefix')
        const plaintext = key.decrypt(Buffer.from(body.ciphertext.slice(9), 'base64'), associated)
        return plaintext
          ? { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } }
          : refuse(400, 'cipher: message authentication failed')
      }
      default:
        return refuse(403, 'permission denied')
    }
  }

  const kek = `vault-transit:http://127.0.0.1:${service.port}/team/transit/authconn`
  return Object.assign(service, { kek, tokens, logins })
}

export function refuse(status: number, reason: string): Reply {
  return { status, body: { errors: [reason] } }
}
