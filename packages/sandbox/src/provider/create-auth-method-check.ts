import type { Context, Next } from '../http/context.ts'
import { type Endpoint, findEndpoint } from '../http/endpoints.ts'
import { readForm } from '../http/read-form.ts'
import { isSecretMethod, type SandboxClient } from './clients.ts'

/**
 * Holds the clients that have a secret and name their authentication method to it.
 * The library takes the secret in the header and in the body alike, and some real providers do not.
 */
export function createAuthMethodCheck(clients: readonly SandboxClient[]) {
  const named = clients.filter((client) => isSecretMethod(client.token_endpoint_auth_method))
  const methods = new Map(named.map((client) => [client.client_id, client.token_endpoint_auth_method]))

  return async function checkAuthMethod(ctx: Context, next: Next) {
    const endpoint = findEndpoint(ctx.path)
    if (ctx.method !== 'POST' || !endpoint || !authenticated.includes(endpoint)) return next()

    const form = await readForm(ctx)
    const inBody = form.has('client_secret')
    const clientId = inBody ? form.get('client_id') : readClientId(ctx.req.headers.authorization)
    const method = methods.get(clientId ?? '')
    if (method === undefined || method === (inBody ? 'client_secret_post' : 'client_secret_basic')) return next()
    ctx.status = 401
    ctx.body = { error: 'invalid_client', error_description: `this client must authenticate by ${method}` }
  }
}

const authenticated: readonly Endpoint[] = ['token', 'revocation', 'introspection']

function readClientId(header: string | undefined): string | undefined {
  const [id] = Buffer.from(header?.replace(/^basic /i, '') ?? '', 'base64')
    .toString()
    .split(':')
  // RFC 6749 section 2.3.1 wants it form-encoded; as a form it reads back.
  return new URLSearchParams(`id=${id}`).get('id') ?? undefined
}
