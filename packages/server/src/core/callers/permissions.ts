import type { Permission } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import type { Caller } from '../ports.ts'
import { containsRange, parseAddressRange } from './address-range.ts'

/**
 * Throws permission_denied unless the caller holds the permission on that connection and subject.
 * Asked before anything is looked up, so that a denial does not tell whether the thing exists.
 */
export function requirePermission(
  caller: Pick<Caller, 'name' | 'permissions' | 'connections' | 'subjects'>,
  permission: Permission,
  on: { connection?: string; subject?: string } = {},
): void {
  if (!caller.permissions.includes(permission)) {
    throw new AuthconnError('permission_denied', `The key "${caller.name}" does not hold ${permission}`)
  }
  const { connection, subject } = on
  if (connection !== undefined && !caller.connections.some((pattern) => matches(pattern, connection))) {
    throw new AuthconnError(
      'permission_denied',
      `The key "${caller.name}" does not hold ${permission} on the connection "${connection}"`,
    )
  }
  // The application itself is no subject: who may use the connection may use its application grant.
  if (subject && caller.subjects !== null && !caller.subjects.some((pattern) => matches(pattern, subject))) {
    throw new AuthconnError(
      'permission_denied',
      `The key "${caller.name}" does not hold ${permission} for that subject`,
    )
  }
}

/**
 * Throws permission_denied unless the caller holds the permission for every subject, those of tomorrow included: for
 * what takes all grants of a connection at once.
 */
export function requireAllSubjects(caller: Caller, permission: Permission): void {
  if (caller.subjects === null || coversPatterns(caller.subjects, ['*'])) return
  throw new AuthconnError(
    'permission_denied',
    `The key "${caller.name}" holds ${permission} for some subjects only, and this would reach the grants of all`,
  )
}

/**
 * Throws permission_denied for a caller that a trust has made: a key that it made for others would go on working when the
 * trust is revoked.
 */
export function requireLastingKey(caller: Pick<Caller, 'name' | 'trustId'>): void {
  if (!caller.trustId) return
  throw new AuthconnError(
    'permission_denied',
    `The key "${caller.name}" was issued for a token, and makes no other keys`,
  )
}

/** Throws permission_denied, which does not tell whoever has found a key where it may be used from. */
export function requireAtHome(caller: Pick<Caller, 'id' | 'workspaceId' | 'name'>, atHome: boolean): void {
  if (atHome) return
  const { id, workspaceId, name } = caller
  throw new AuthconnError('permission_denied', `The key "${name}" may not be used from this address`, {
    actor: { id, workspaceId, name },
  })
}

/**
 * Whether `holder` may give `wanted` to somebody, rotate or revoke it: it holds all of it itself, or administers the
 * workspace and so may give permissions (refresh_token:read first of all) that it does better not to hold.
 */
export function covers(
  holder: Caller,
  wanted: Pick<Caller, 'permissions' | 'connections' | 'subjects' | 'addresses' | 'expiresAt'>,
): boolean {
  return (
    wanted.permissions.every((permission) => mayGive(holder, permission)) &&
    coversPatterns(holder.connections, wanted.connections) &&
    (holder.subjects === null || (wanted.subjects !== null && coversPatterns(holder.subjects, wanted.subjects))) &&
    (holder.addresses === null ||
      (wanted.addresses !== null && coversAddresses(holder.addresses, wanted.addresses))) &&
    (holder.expiresAt === null || (wanted.expiresAt !== null && wanted.expiresAt <= holder.expiresAt))
  )
}

/** What reaches beyond the workspace, and so is not for its administrators to give. */
export const vaultPermissions: readonly Permission[] = ['vault:operate', 'metrics:read']

function mayGive(holder: Caller, permission: Permission): boolean {
  if (holder.permissions.includes(permission)) return true
  return holder.permissions.includes('workspace:admin') && !vaultPermissions.includes(permission)
}

/**
 * Each of the wanted ranges must be inside one that is held. Two ranges held that make up a wanted one between them do
 * not count: that is never too much, and can be seen by looking at one pair at a time.
 */
function coversAddresses(held: readonly string[], wanted: readonly string[]): boolean {
  const own = held.flatMap((text) => parseAddressRange(text) ?? [])
  return wanted.every((text) => {
    const range = parseAddressRange(text)
    return range !== undefined && own.some((outer) => containsRange(outer, range))
  })
}

/** A pattern covers another when it matches it as text: a `*` there is only met by a `*` here. */
function coversPatterns(held: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((pattern) => held.some((own) => matches(own, pattern)))
}

/** Glob with `*` alone, in time linear in the text for each `*`. */
export function matches(pattern: string, text: string): boolean {
  if (pattern === '*') return true
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === text
  if (!text.startsWith(first)) return false
  const last = rest.pop() ?? ''
  let position = first.length
  for (const part of rest) {
    const found = text.indexOf(part, position)
    if (found < 0) return false
    position = found + part.length
  }
  return text.length - last.length >= position && text.endsWith(last)
}
