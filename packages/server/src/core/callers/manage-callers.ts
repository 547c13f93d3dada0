import { randomUUID } from 'node:crypto'
import type { NewCaller } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import type { Caller, CallerStore, Page } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { createApiKey, hashApiKey } from './api-key.ts'
import { covers, requirePermission } from './permissions.ts'

export interface ManageCallers {
  /** Throws permission_denied, caller_exists, invalid_request. */
  create(by: Caller, wanted: NewCaller): Promise<{ caller: Caller; apiKey: Secret }>
  list(by: Caller, page: Page): Promise<Caller[]>
  /** Throws permission_denied, caller_not_found. */
  revoke(by: Caller, id: string): Promise<Caller>
}

export function createManageCallers(deps: { callers: CallerStore }): ManageCallers {
  return {
    async create(by, wanted) {
      requirePermission(by, 'caller:manage')
      const expiresAt = wanted.expires_at === undefined ? by.expiresAt : toDate(wanted.expires_at)
      const caller = {
        id: randomUUID(),
        workspaceId: by.workspaceId,
        name: wanted.name,
        permissions: wanted.permissions,
        connections: wanted.connections ?? by.connections,
        subjects: wanted.subjects === undefined ? by.subjects : wanted.subjects,
        expiresAt,
      }
      if (!covers(by, caller)) {
        throw new AuthconnError(
          'permission_denied',
          `The key "${by.name}" cannot give permissions, connections, subjects or a lifetime beyond its own`,
        )
      }
      if (caller.expiresAt && caller.expiresAt.getTime() <= Date.now()) {
        throw new AuthconnError('invalid_request', 'expires_at lies in the past')
      }
      const apiKey = createApiKey()
      const inserted = await deps.callers.insert(caller, hashApiKey(apiKey))
      if (!inserted) throw new AuthconnError('caller_exists', `There is a caller named "${wanted.name}" already`)
      return { caller: inserted, apiKey }
    },

    async list(by, page) {
      requirePermission(by, 'caller:manage')
      return deps.callers.list(by.workspaceId, page)
    },

    async revoke(by, id) {
      requirePermission(by, 'caller:manage')
      const target = await deps.callers.find(by.workspaceId, id)
      if (!target) throw new AuthconnError('caller_not_found')
      // Otherwise a limited manager could lock out the administrators above it.
      if (!covers(by, target)) {
        throw new AuthconnError('permission_denied', `The key "${by.name}" holds less than "${target.name}"`)
      }
      const revoked = await deps.callers.revoke(by.workspaceId, id)
      if (!revoked) throw new AuthconnError('caller_not_found')
      return revoked
    },
  }
}

/** A leap second is a valid date-time (RFC 3339 section 5.6), and no moment that a Date or a database has. */
function toDate(text: string): Date {
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new AuthconnError('invalid_request', 'expires_at is no moment: its seconds end at 59')
}
