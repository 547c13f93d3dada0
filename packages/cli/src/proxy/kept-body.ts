import type { IncomingMessage } from 'node:http'
import { Transform } from 'node:stream'

/** Bytes; a longer body is sent once only. */
const most = 1024 * 1024

/** The body of a request on its way, and a copy by which to send it a second time. */
export function keepBody(request: IncomingMessage): { stream: Transform; copy(): Buffer | undefined } {
  const chunks: Buffer[] = []
  let size = 0
  let whole = false
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, pass) {
      size += chunk.length
      if (size <= most) chunks.push(chunk)
      else chunks.length = 0
      pass(null, chunk)
    },
    flush(pass) {
      whole = true
      pass()
    },
  })
  request.pipe(stream)
  return { stream, copy: () => (whole && size <= most ? Buffer.concat(chunks) : undefined) }
}
