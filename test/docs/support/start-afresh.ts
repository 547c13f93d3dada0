import type { AuthconnClient } from '@authconn/sdk'

/** A vault with these connections, authorized, and no others; with no trusts, and no callers but its administrator. */
export async function startAfresh(
  vault: AuthconnClient,
  given: Readonly<Record<string, string>>,
  visit: (url: string) => string,
): Promise<void> {
  const { connections } = await vault.call('listConnections', { query: { limit: 200 } })
  for (const { name } of connections) await vault.call('deleteConnection', { params: { name } })
  const { trusts } = await vault.call('listTrusts', { query: { limit: 200 } })
  for (const { name } of trusts) await vault.call('revokeTrust', { params: { name } })
  const [{ callers }, self] = await Promise.all([
    vault.call('listCallers', { query: { limit: 200 } }),
    vault.call('getSelf', {}),
  ])
  for (const { id } of callers.filter(({ name }) => name !== self.name)) {
    await vault.call('revokeCaller', { params: { id } })
  }
  for (const [name, provider] of Object.entries(given)) {
    const client = { client_id: 'client-id', client_secret: 'client-secret' }
    await vault.call('createConnection', { body: { name, provider, ...client } })
    const body = { redirect_uri: 'http://127.0.0.1:8080/callback' }
    const begun = await vault.call('startAuthorization', { params: { name }, body })
    const redirected_url = visit(begun.authorization_url)
    await vault.call('completeAuthorization', { params: { id: begun.id }, body: { redirected_url } })
  }
}
