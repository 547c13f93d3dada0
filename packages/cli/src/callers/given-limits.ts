import { AuthconnError } from '@authconn/sdk'
import { type Permission, permissionNames } from '@authconn/shared/permissions'

/** Throws usage. */
export function toPermission(word: string): Permission {
  const found = permissionNames.find((permission) => permission === word)
  if (found) return found
  throw new AuthconnError('usage', `--allow takes ${permissionNames.join(', ')}.`)
}

/** undefined: as many as whoever makes the caller may act for. Throws usage. */
export function givenSubjects(flags: {
  subject: string[] | undefined
  subjects: boolean
  allSubjects: boolean | undefined
}): string[] | null | undefined {
  const { subject, subjects, allSubjects } = flags
  const given = [subject !== undefined, !subjects, allSubjects === true].filter(Boolean)
  if (given.length > 1) {
    throw new AuthconnError('usage', '--subject, --no-subjects and --all-subjects exclude each other.')
  }
  if (!subjects) return []
  return allSubjects ? null : subject
}
