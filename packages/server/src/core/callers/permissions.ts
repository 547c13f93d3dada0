import type { Permission } from '@authconn/shared'
import { AuthconnError } from '../errors.ts'
import type { Caller } from '../ports.ts'

/**
 * Throws permission_denied unless the caller holds the permission on that connection and subject.
 * Asked before anything is looked up, so that a denial does not tell whether the thing exists.
 */
export function requirePermission(
  caller: Caller,
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
 * Whether `holder` may give `wanted` to somebody: it holds all of it itself, or administers the workspace and so may
 * give permissions (refresh_token:read first of all) that it does better not to hold.
 */
export function covers(
  holder: Caller,
  wanted: Pick<Caller, 'permissions' | 'connections' | 'subjects' | 'expiresAt'>,
): boolean {
  return (
    (holder.permissions.includes('workspace:admin') ||
      wanted.permissions.every((permission) => holder.permissions.includes(permission))) &&
    coversPatterns(holder.connections, wanted.connections) &&
    (holder.subjects === null || (wanted.subjects !== null && coversPatterns(holder.subjects, wanted.subjects))) &&
    (holder.expiresAt === null || (wanted.expiresAt !== null && wanted.expiresAt <= holder.expiresAt))
  )
}

/** A pattern covers another when it matches it as text: a `*` there is only met by a `*` here. */
function coversPatterns(held: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((pattern) => held.some((own) => matches(own, pattern)))
}

/** Glob with `*` alone, in time linear in the text for each `*`. */
export function matches(pattern: string, text: string): boolean {
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
