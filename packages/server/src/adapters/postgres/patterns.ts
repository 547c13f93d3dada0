import { sql } from 'kysely'

/** Whether a column of text fits one of the patterns, in which `*` stands for any characters and nothing else does. */
export function isAmong(column: string, patterns: readonly string[]) {
  return sql<boolean>`${sql.ref(column)} like any(${patterns.map(toLike)}::text[])`
}

/** What LIKE gives a meaning to is taken as it is: a subject may well hold an underscore. */
function toLike(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '%')
}

/** For LIKE: URLs of an origin. Origins hold no character that it gives a meaning to but the underscore. */
export function startingWith(origin: string): string {
  return `${origin.replaceAll('_', '\\_')}/%`
}
