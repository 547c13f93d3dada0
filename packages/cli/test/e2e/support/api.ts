import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface ApiCall {
  method: string | undefined
  path: string | undefined
  headers: IncomingHttpHeaders
  rawHeaders: string[]
  body: string
}

/** An API of a test, for as long as the test runs. */
export async function startApi(
  answer: (call: ApiCall, ...rest: Parameters<RequestListener>) => unknown,
): Promise<{ url: string; calls: ApiCall[] }> {
  const calls: ApiCall[] = []
  const server = createServer(async (request, response) => {
    const { method, url: path, headers, rawHeaders } = request
    const call = { method, path, headers, rawHeaders, body: await text(request) }
    calls.push(call)
    await answer(call, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the API has no port')
  return { url: `http://127.0.0.1:${address.port}`, calls }
}
