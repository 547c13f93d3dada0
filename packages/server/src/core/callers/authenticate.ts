import { AuthconnError } from '../errors.ts'
import type { Caller, CallerStore } from '../ports.ts'
import { hashApiKey } from './api-key.ts'
import { normalizeAddress } from './normalize-address.ts'
import { createNoteUse } from './note-use.ts'
import { requireAtHome } from './permissions.ts'
import { readApiKey } from './read-api-key.ts'

/** `address`: where the request came from, as the socket or a trusted proxy says; null where that is not known. */
export type Authenticate = (authorizationHeader: string | undefined, address: string | null) => Promise<Caller>

/**
 * Who sends this Authorization header. Always asks the database, so that a revoked key is refused at once everywhere.
 * The lookup is by SHA-256 of the key: what an attacker could time is the hash of a guess, never the key.
 * Throws unauthenticated, invalid_api_key, and permission_denied for a key at an address that it is not bound to.
 */
export function createAuthenticate(deps: {
  callers: Pick<CallerStore, 'findLive' | 'touch'>
  /** Takes work that goes on after the answer, so that a shutdown waits for it. */
  inBackground(work: Promise<unknown>): void
}): Authenticate {
  const noteUse = createNoteUse(deps)

  return async function authenticate(header, address) {
    const found = await deps.callers.findLive(hashApiKey(readApiKey(header)), normalizeAddress(address))
    if (!found) throw new AuthconnError('invalid_api_key')
    requireAtHome(found.caller, found.atHome)
    noteUse(found.caller)
    return found.caller
  }
}
