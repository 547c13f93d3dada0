import { AuthconnError } from '../errors.ts'
import type { Caller, CallerStore } from '../ports.ts'
import { Secret } from '../secret.ts'
import { hashApiKey, isApiKey } from './api-key.ts'

export type Authenticate = (authorizationHeader: string | undefined) => Promise<Caller>

/**
 * Who sends this Authorization header. Always asks the database, so that a revoked key is refused at once everywhere.
 * The lookup is by SHA-256 of the key: what an attacker could time is the hash of a guess, never the key.
 * Throws unauthenticated, invalid_api_key.
 */
export function createAuthenticate(deps: { callers: CallerStore }): Authenticate {
  return async function authenticate(header) {
    if (header === undefined) throw new AuthconnError('unauthenticated')
    const [scheme, key, ...rest] = header.split(' ')
    if (scheme?.toLowerCase() !== 'bearer' || key === undefined || rest.length > 0) {
      throw new AuthconnError('unauthenticated', 'The Authorization header is not of the form "Bearer <API key>"')
    }
    if (!isApiKey(key))
      throw new AuthconnError('invalid_api_key', 'The API key is mistyped or not an authconn key')
    const caller = await deps.callers.findLive(hashApiKey(new Secret(key)))
    if (!caller) throw new AuthconnError('invalid_api_key')
    return caller
  }
}
