import { IncomingMessage } from 'node:http'
import type { Context } from './context.ts'

const maximum = 64 * 1024

/**
 * The body of a request, of at most 64 kB; a longer one reads as empty.
 * What comes later in the chain can read it again.
 */
export async function readBody(ctx: Pick<Context, 'req' | 'request'>): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length <= maximum) chunks.push(chunk)
  }
  const body = length <= maximum ? Buffer.concat(chunks) : Buffer.alloc(0)
  ctx.req = ctx.request.req = replay(ctx.req, body)
  return body.toString()
}

export async function readForm(ctx: Pick<Context, 'req' | 'request'>): Promise<URLSearchParams> {
  return new URLSearchParams(await readBody(ctx))
}

/** A stream can be read once: the same request again, with its body already received. */
function replay(request: IncomingMessage, body: Buffer): IncomingMessage {
  const again = new IncomingMessage(request.socket)
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = request
  Object.assign(again, { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor })
  again.complete = true
  again.push(body)
  again.push(null)
  return again
}
