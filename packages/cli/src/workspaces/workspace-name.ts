import { AuthconnError } from '@authconn/sdk'

/** The name of a new workspace. Throws usage. */
export function workspaceName([name]: readonly string[]): string {
  if (name !== undefined) return name
  throw new AuthconnError('usage', 'The name of the workspace is missing: give it as the argument.')
}
