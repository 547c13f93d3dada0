import type { IncomingMessage, ServerResponse } from 'node:http'
import { brotliCompressSync, createGzip, gzipSync } from 'node:zlib'

/** What a server does to one request, on the wire. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void

const json = { 'content-type': 'application/json' }
const tokens = '{"access_token":"at","token_type":"Bearer","expires_in":3600}'
const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

/** Sends the raw text and leaves the connection open. */
const raw =
  (text: string | Buffer): Misbehaviour =>
  ({ socket }) =>
    void socket.write(text)

/** Sends a piece again and again, as fast as it is taken or with a pause, until the client has had enough. */
const again =
  (start: string, piece: string, everyMs?: number): Misbehaviour =>
  ({ socket }) => {
    socket.on('error', () => undefined)
    socket.write(start)
    if (everyMs !== undefined) {
      const timer = setInterval(() => socket.write(piece), everyMs)
      socket.on('close', () => clearInterval(timer))
      return
    }
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  }

const answer =
  (body: string | Buffer, headers: Record<string, string> = json, status = 200): Misbehaviour =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

const block = 'x'.repeat(64 * 1024)
let bombs: { gzip: Buffer; brotli: Buffer } | undefined

/** 100 MB of JSON in some 100 kB, and in less. Made when first asked for. */
function bomb(encoding: 'gzip' | 'br'): Misbehaviour {
  return (request, response) => {
    const huge = Buffer.alloc(100_000_000, ' ')
    bombs ??= { gzip: gzipSync(huge), brotli: brotliCompressSync(huge) }
    answer(encoding === 'gzip' ? bombs.gzip : bombs.brotli, { ...json, 'content-encoding': encoding })(
      request,
      response,
    )
  }
}

/** The ways that do not depend on what is asked. Those that never end try to use up memory, or time. */
export const wire = {
  'an endless body': again(`${head}\r\n{"access_token":"`, block),
  'an endless chunked body': again(`${head}transfer-encoding: chunked\r\n\r\n`, `10000\r\n${block}\r\n`),
  'an endless compressed body': (_, response) => {
    response.writeHead(200, { ...json, 'content-encoding': 'gzip' })
    const gzip = createGzip()
    gzip.on('error', () => undefined)
    response.on('close', () => gzip.destroy())
    const more = () => {
      while (!gzip.destroyed && gzip.write(block));
    }
    gzip.on('drain', more).pipe(response)
    more()
  },
  'a gzip bomb': bomb('gzip'),
  'a brotli bomb': bomb('br'),
  'endless headers': again('HTTP/1.1 200 OK\r\n', `x-filler: ${'y'.repeat(1000)}\r\n`),
  'an endless header': again('HTTP/1.1 200 OK\r\nx-filler: ', block),
  'an endless status line': again('HTTP/1.1 200 ', block),
  'endless trailers': again(`${head}transfer-encoding: chunked\r\n\r\n0\r\n`, `x-filler: ${'y'.repeat(1000)}\r\n`),
  'an endless chunk extension': again(`${head}transfer-encoding: chunked\r\n\r\n1;x=`, block),
  'an endless flood of 103': again('', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
  'an endless flood of 100': again('', 'HTTP/1.1 100 Continue\r\n\r\n'),
  'headers that trickle in': again('HTTP/1.1 200 OK\r\n', 'x: y\r\n', 50),
  'a body that trickles in': again(`${head}\r\n`, 'x', 50),
  'an announced body that stops': raw(`${head}content-length: 100\r\n\r\n{"access`),
  'a body longer than announced': raw(`${head}content-length: 10\r\n\r\n${tokens}`),
  'two different lengths': raw(`${head}content-length: 10\r\ncontent-length: 20\r\n\r\n${tokens}`),
  'a length and chunks together': raw(
    `${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  ),
  'a chunk that is no number': raw(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n${tokens}`),
  'a negative length': raw(`${head}content-length: -1\r\n\r\n${tokens}`),
  'another protocol': raw('220 mail.example ESMTP\r\n'),
  'a switch of protocols': raw('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  'no answer at all': () => undefined,
  'a reset': ({ socket }) => void socket.resetAndDestroy(),
  'an end before the answer': ({ socket }) => void socket.end(),
  'an end inside the body': ({ socket }) => void socket.end(`${head}content-length: 100\r\n\r\n{"access`),
  'a redirect to another host': answer('', { location: 'https://evil.example/token' }, 302),
  'a redirect to the metadata service': answer('', { location: 'http://169.254.169.254/' }, 307),
  'a page': answer('<!doctype html><p>Please sign in', { 'content-type': 'text/html' }),
  'an image': answer(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]), { 'content-type': 'image/png' }),
  'no content': answer('', {}, 204),
  'an empty body': answer(''),
  'half an answer': answer(tokens.slice(0, 30)),
  'a list': answer('[]'),
  'a number': answer('1e999'),
  'a repeated access_token': answer('{"access_token":"a","access_token":"b","token_type":"Bearer"}'),
  'a name that is repeated by an escape': answer('{"access_token":"a","access\\u005ftoken":"b"}'),
  'nesting without end': answer(`{"access_token":${'['.repeat(100_000)}`),
  'nesting that ends, and nothing else': answer(`{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  'bytes that are not UTF-8': answer(Buffer.from('{"access_token":"\xff\xfe","token_type":"Bearer"}', 'latin1')),
  'a line break in the token': answer('{"access_token":"a\\r\\nset-cookie: x","token_type":"Bearer"}'),
  'a token of a million characters': answer(`{"access_token":"${'a'.repeat(200_000)}","token_type":"Bearer"}`),
  'a token that is an object': answer('{"access_token":{"a":1},"token_type":"Bearer"}'),
  'another type of token': answer('{"access_token":"a","token_type":"mac"}'),
  'an error under status 200': answer('{"error":"invalid_grant"}'),
  'an error that nobody knows': answer('{"error":"go_away"}', json, 403),
  'a status that there is not': raw('HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n'),
} satisfies Record<string, Misbehaviour>
