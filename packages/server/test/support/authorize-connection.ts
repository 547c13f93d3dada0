import { browse, type Sandbox } from '@authconn/sandbox'
import type { startVaultProcess } from './vault-process.ts'

/** Creates a connection to the sandbox at a vault in a process of its own, and authorizes it. */
export async function authorizeConnection(
  vault: Pick<Awaited<ReturnType<typeof startVaultProcess>>, 'call'>,
  { client, issuer }: Sandbox,
  name: string,
): Promise<void> {
  await vault.call('createConnection', { body: { name, provider_url: issuer, ...client } })
  const started = await vault.call('startAuthorization', {
    params: { name },
    body: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  const { redirectedUrl } = await browse(started.body.authorization_url)
  const body = { redirected_url: redirectedUrl }
  await vault.call('completeAuthorization', { params: { id: started.body.id }, body })
}
