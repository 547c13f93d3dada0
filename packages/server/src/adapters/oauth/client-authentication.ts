import { type ClientAuth, ClientSecretPost, TlsClientAuth } from 'oauth4webapi'
import { type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import { signedAssertion } from './signed-assertion.ts'

/**
 * How the client proves itself to the endpoints that it calls: by its secret (RFC 6749 section 2.3.1), by an assertion
 * (RFC 7523), or in TLS (RFC 8705), where the request only names it. Throws ProviderFailure `client` when its credential
 * is of another kind.
 */
export function authenticate(client: OAuthClient): ClientAuth {
  const { tokenEndpointAuthMethod: method, credential } = client
  switch (method) {
    case 'client_secret_basic':
    case 'client_secret_post': {
      if (credential.kind !== 'secret') break
      const secret = credential.secret.reveal()
      return method === 'client_secret_post' ? ClientSecretPost(secret) : clientSecretBasic(secret)
    }
    case 'private_key_jwt':
      if (credential.kind !== 'key') break
      return signedAssertion(client, credential)
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      return TlsClientAuth()
    case 'none':
      // Not even its id: the assertion in the request says who asks.
      return () => undefined
  }
  throw new ProviderFailure('client', `The client has nothing to authenticate with by ${method}`)
}

/**
 * As oauth4webapi's, but escaping no more than form-encoding asks for: `-`, `_`, `.` and `*`, which are in most
 * secrets, stay as they are. Servers that forget to decode exist, and then only these spellings work with both.
 */
function clientSecretBasic(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const credentials = `${formEncode(client.client_id)}:${formEncode(secret)}`
    headers.set('authorization', `Basic ${btoa(credentials)}`)
  }
}

function formEncode(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}
