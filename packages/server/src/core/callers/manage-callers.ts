import { randomUUID } from 'node:crypto'
import type { NewCaller } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import type { Caller, CallerStore, Page } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { createApiKey, hashApiKey } from './api-key.ts'
import { covers, requireLastingKey, requirePermission } from './permissions.ts'
import { readAddresses } from './read-addresses.ts'

export interface ManageCallers {
  /** Throws permission_denied, caller_exists, invalid_request. */
  create(by: Caller, wanted: NewCaller): Promise<CallerWithKey>
  /** Of the trust of that name those that it has made, and otherwise all others. Throws permission_denied. */
  list(by: Caller, page: Page, trust?: string): Promise<Caller[]>
  /**
   * A new key; the present one works for so many seconds yet, a day unless given, and those before it no more.
   * Throws permission_denied, caller_not_found, invalid_request.
   */
  rotate(by: Caller, id: string, overlapSeconds?: number): Promise<CallerWithKey>
  /** Throws permission_denied, caller_not_found. */
  revoke(by: Caller, id: string): Promise<Caller>
  /** Ends the key that a trust has given, by whoever holds it. Throws permission_denied for one of another kind. */
  revokeSelf(by: Caller): Promise<Caller>
}

export interface CallerWithKey {
  caller: Caller
  apiKey: Secret
}

const defaultOverlap = 86_400

export function createManageCallers(deps: { callers: CallerStore }): ManageCallers {
  const { callers } = deps

  /** Without `covers`, a limited manager could lock out the administrators above it, or get a key of theirs. */
  async function getManageable(by: Caller, id: string): Promise<Caller> {
    requirePermission(by, 'caller:manage')
    const target = await callers.find(by.workspaceId, id)
    if (!target) throw new AuthconnError('caller_not_found')
    if (!covers(by, target)) {
      throw new AuthconnError('permission_denied', `The key "${by.name}" holds less than "${target.name}"`)
    }
    return target
  }

  return {
    async create(by, wanted) {
      requirePermission(by, 'caller:manage')
      requireLastingKey(by)
      const caller = {
        id: randomUUID(),
        workspaceId: by.workspaceId,
        name: wanted.name,
        permissions: wanted.permissions,
        connections: wanted.connections ?? by.connections,
        subjects: wanted.subjects === undefined ? by.subjects : wanted.subjects,
        addresses: wanted.addresses === undefined ? by.addresses : readAddresses(wanted.addresses),
        expiresAt: wanted.expires_at === undefined ? by.expiresAt : toDate(wanted.expires_at),
      }
      if (!covers(by, caller)) {
        throw new AuthconnError(
          'permission_denied',
          `The key "${by.name}" cannot give permissions, connections, subjects, addresses or a lifetime beyond its own`,
        )
      }
      if (isOver(caller.expiresAt)) throw new AuthconnError('invalid_request', 'expires_at lies in the past')
      const apiKey = createApiKey()
      const inserted = await callers.insert(caller, hashApiKey(apiKey))
      if (!inserted) throw new AuthconnError('caller_exists', `There is a caller named "${wanted.name}" already`)
      return { caller: inserted, apiKey }
    },

    async list(by, page, trust) {
      requirePermission(by, 'caller:manage')
      if (trust === undefined) return callers.list(by.workspaceId, page)
      return callers.listOfTrust(by.workspaceId, trust, page)
    },

    async rotate(by, id, overlapSeconds = defaultOverlap) {
      requireLastingKey(by)
      const target = await getManageable(by, id)
      if (target.trustId !== null) {
        throw new AuthconnError('invalid_request', `The keys of "${target.name}" are issued for tokens only`)
      }
      if (isOver(target.expiresAt)) {
        throw new AuthconnError('invalid_request', `The caller "${target.name}" has expired, and its keys with it`)
      }
      const apiKey = createApiKey()
      const rotated = await callers.rotate(by.workspaceId, id, hashApiKey(apiKey), overlapSeconds)
      if (!rotated) throw new AuthconnError('caller_not_found', `The caller "${target.name}" is revoked`)
      return { caller: rotated, apiKey }
    },

    async revoke(by, id) {
      await getManageable(by, id)
      const revoked = await callers.revoke(by.workspaceId, id)
      if (!revoked) throw new AuthconnError('caller_not_found')
      return revoked
    },

    async revokeSelf(by) {
      // A lasting key may be in more places than one, and whoever finds it could take it from all of them.
      if (by.trustId === null) {
        throw new AuthconnError('permission_denied', `The key "${by.name}" was not issued for a token`)
      }
      const revoked = await callers.revoke(by.workspaceId, by.id)
      if (!revoked) throw new AuthconnError('caller_not_found')
      return revoked
    },
  }
}

function isOver(expiresAt: Date | null): boolean {
  return expiresAt !== null && expiresAt.getTime() <= Date.now()
}

/** A leap second is a valid date-time (RFC 3339 section 5.6), and no moment that a Date or a database has. */
function toDate(text: string): Date {
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new AuthconnError('invalid_request', 'expires_at is no moment: its seconds end at 59')
}
