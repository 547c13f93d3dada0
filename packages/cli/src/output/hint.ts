import type { AuthconnError } from '@authconn/sdk'
import { isConnectionName } from '../input/answer-rules.ts'

/** What to do next, with the connection's name where the hint leaves a place for one. */
export function hintFor({ hint }: Pick<AuthconnError, 'hint'>, connection: string | undefined): string {
  // A hint may be copied into a shell: nothing but a name that can be one goes into it.
  if (connection === undefined || !isConnectionName(connection)) return hint
  return hint.replace(/\bNAME\b/g, connection)
}
