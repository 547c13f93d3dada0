import { AuthconnError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { isApiKey } from './api-key.ts'

/** The API key of an Authorization header, well-formed but not looked up. Throws unauthenticated, invalid_api_key. */
export function readApiKey(header: string | undefined): Secret {
  if (header === undefined) throw new AuthconnError('unauthenticated')
  const [scheme, key, ...rest] = header.split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || key === undefined || rest.length > 0) {
    throw new AuthconnError('unauthenticated', 'The Authorization header is not of the form "Bearer <API key>"')
  }
  if (!isApiKey(key)) throw new AuthconnError('invalid_api_key', 'The API key is mistyped or not an authconn key')
  return new Secret(key)
}
