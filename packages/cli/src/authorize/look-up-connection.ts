import { type AuthconnClient, AuthconnError, type Connection } from '@authconn/sdk'

/** The connection; undefined where the key may authorize, and not look. Throws what the vault says. */
export async function lookUpConnection(
  vault: Pick<AuthconnClient, 'call'>,
  name: string,
  signal: AbortSignal,
): Promise<Connection | undefined> {
  try {
    return await vault.call('getConnection', { params: { name } }, { signal })
  } catch (error) {
    if (error instanceof AuthconnError && error.code === 'permission_denied') return undefined
    throw error
  }
}
