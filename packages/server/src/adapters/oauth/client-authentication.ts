import { type ClientAuth, ClientSecretPost } from 'oauth4webapi'
import type { OAuthClient } from '../../core/oauth-port.ts'

/** How the client proves itself to the token and revocation endpoints (RFC 6749 section 2.3.1). */
export function authenticate({ tokenEndpointAuthMethod, clientSecret }: OAuthClient): ClientAuth {
  return tokenEndpointAuthMethod === 'client_secret_post'
    ? ClientSecretPost(clientSecret.reveal())
    : clientSecretBasic(clientSecret.reveal())
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
