import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type OidcIssuer, startIssuer } from '../../../../server/test/support/oidc-issuer.ts'

export interface Actions {
  issuer: OidcIssuer
  /** What a job is given its tokens by. */
  env: { ACTIONS_ID_TOKEN_REQUEST_URL: string; ACTIONS_ID_TOKEN_REQUEST_TOKEN: string }
  /** What is different in the claims of the next tokens. */
  changes: Record<string, unknown>
  /** How many tokens were asked for. */
  asked: number
  stop(): Promise<void>
}

/** An issuer of the shape of GitHub's, and the endpoint at which its jobs ask for tokens. */
export async function startActions(): Promise<Actions> {
  const issuer = await startIssuer()
  const requestToken = 'request-canary'
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${requestToken}`) {
      response.writeHead(401).end()
      return
    }
    actions.asked++
    const audience = new URL(request.url ?? '', 'http://actions').searchParams.get('audience')
    const value = issuer.sign(issuer.githubClaims({ aud: audience, ...actions.changes }))
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ value }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const actions: Actions = {
    issuer,
    env: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    },
    changes: {},
    asked: 0,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await issuer.stop()
    },
  }
  return actions
}
