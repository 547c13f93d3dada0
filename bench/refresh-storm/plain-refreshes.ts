import type { MintedTokens } from '../../packages/sandbox/src/index.ts'
import { openKeepAliveConnection } from '../support/keep-alive-connection.ts'
import type { Provider } from './provider.ts'

/**
 * Refreshes each of some tokens once, straight at the provider and with the least work there is, so many at a time.
 * Resolves to how many a second that made.
 */
export async function plainRefreshes(
  provider: Provider,
  tokens: MintedTokens[],
  concurrency: number,
): Promise<number> {
  const queue = tokens.map((each) => refreshRequest(provider, each.refresh_token)).values()
  const connections = Array.from({ length: concurrency }, () => openKeepAliveConnection(new URL(provider.issuer)))
  try {
    await Promise.all(connections.map(({ opened }) => opened))
    const started = performance.now()
    await Promise.all(
      connections.map(async (connection) => {
        for (const request of queue) {
          const { status, body } = await connection.exchange(request)
          if (status !== 200) throw new Error(`the provider answered ${status} ${body}`)
        }
      }),
    )
    return tokens.length / ((performance.now() - started) / 1000)
  } finally {
    for (const connection of connections) connection.close('it has done its part')
  }
}

function refreshRequest({ issuer, clientId, clientSecret }: Provider, refreshToken: string): Buffer {
  const body = `grant_type=refresh_token&refresh_token=${encodeURIComponent(refreshToken)}`
  const head = [
    'POST /token HTTP/1.1',
    `host: ${new URL(issuer).host}`,
    `authorization: Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    'content-type: application/x-www-form-urlencoded',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from([...head, '', body].join('\r\n'))
}
