import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { browse, startSandbox } from '../../packages/sandbox/src/index.ts'
import { createClient } from '../../packages/sdk/src/index.ts'
import { type LocalCredentials, localCredentialsFile } from '../../packages/shared/src/local.ts'

export interface AuthorizedConnection {
  apiKey: string
  /** Where the vault gives its token. */
  tokenPath: string
  /** Ends the provider behind it. */
  release(): Promise<void>
}

/** Makes a connection of the vault with that data directory to a sandbox provider, and authorizes it. */
export async function authorizeConnection(url: string, dataDirectory: string): Promise<AuthorizedConnection> {
  const text = await readFile(join(dataDirectory, localCredentialsFile), 'utf8')
  const { api_key: apiKey }: LocalCredentials = JSON.parse(text)
  const vault = createClient({ url, apiKey })
  const sandbox = await startSandbox()
  const { client_id, client_secret } = sandbox.client
  const params = { name: 'bench' }
  await vault.call('createConnection', {
    body: { ...params, provider_url: sandbox.issuer, issuer_url: sandbox.issuer, client_id, client_secret },
  })
  const authorization = await vault.call('startAuthorization', {
    params,
    body: { scopes: ['openid'], redirect_uri: 'http://127.0.0.1:8080/callback' },
  })
  const { redirectedUrl } = await browse(authorization.authorization_url)
  await vault.call('completeAuthorization', {
    params: { id: authorization.id },
    body: { redirected_url: redirectedUrl },
  })
  return { apiKey, tokenPath: `/v1/connections/${params.name}/token`, release: () => sandbox.stop() }
}
