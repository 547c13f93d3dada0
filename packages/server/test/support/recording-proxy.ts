import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** One exchange: the form that was sent, and the token fields that came back, also in half an answer. */
export interface Recorded {
  sent: URLSearchParams
  received: Map<string, string>
}

/**
 * Stands before a provider's endpoints and keeps what passes. For tests that must know every secret of a run,
 * those too that only the vault and the provider see, such as PKCE verifiers.
 */
export async function startRecordingProxy(target: string) {
  const seen: Recorded[] = []
  const server = createServer((request, response) => {
    // A provider that hangs up on us hangs up on the vault.
    forward(request, response).catch(() => response.destroy())
  })

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { authorization } = request.headers
    const recorded: Recorded = { sent: new URLSearchParams(body), received: new Map() }
    seen.push(recorded)
    const answer = await fetch(target + (request.url ?? ''), {
      method: request.method ?? 'POST',
      headers: {
        'content-type': request.headers['content-type'] ?? 'application/x-www-form-urlencoded',
        ...(authorization ? { authorization } : {}),
      },
      body,
    })
    const text = await answer.text()
    for (const [, name = '', value = ''] of text.matchAll(
      /"(access_token|refresh_token|id_token|device_code)":"([^"]+)/g,
    )) {
      recorded.received.set(name, value)
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    response.end(text)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    seen,
    stop() {
      server.close()
      server.closeAllConnections()
    },
  }
}
