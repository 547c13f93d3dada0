import type { IncomingMessage } from 'node:http'
import { connectionOptions, pseudonym } from './headers.ts'

export interface Refusal {
  status: 400 | 403 | 421 | 501 | 508
  reason: string
}

/** Whoever takes these away by Connection changes what the request is (RFC 9110 section 7.6.1). */
const notHopByHop = ['content-length', 'host', 'authorization']

type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>

/** Why a request is not one that a program on this machine meant for the proxy; undefined when it is. */
export function judgeLocalRequest(request: Asked, port: number, prefix: string): Refusal | undefined {
  const { method, url = '', headers, rawHeaders } = request
  // A page that has its own name point to 127.0.0.1 (DNS rebinding) comes with that name.
  if (!isOwnHost(request, port)) return refuse(421, 'This proxy answers under 127.0.0.1 and localhost only.')
  // Browsers send one or the other with all that pages of other origins make them send.
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    return refuse(403, 'This proxy is not for browsers: any page could use the token.')
  }
  // HTTP/2 is only offered, as by Java's client, and need not be taken (RFC 9110 section 7.8); it goes no further.
  if ((headers.upgrade ?? 'h2c') !== 'h2c') return refuse(501, 'This proxy does not switch protocols.')
  // It would give the token back in the body of the answer. Node itself refuses CONNECT.
  if (method === 'TRACE') return refuse(501, 'This proxy does not pass on TRACE.')
  if ((headers['transfer-encoding'] ?? 'chunked').toLowerCase() !== 'chunked') {
    return refuse(501, 'This proxy knows no other Transfer-Encoding than chunked.')
  }
  if (connectionOptions(rawHeaders).some((name) => notHopByHop.includes(name))) {
    return refuse(400, `Connection must not name ${notHopByHop.join(', ')}.`)
  }
  if (headers.via?.includes(pseudonym)) return refuse(508, 'The upstream leads back to this proxy.')
  if (!url.startsWith('/')) return refuse(400, 'The target of a request begins with a slash.')
  // Resolved by the upstream, they would leave what the proxy is for.
  if (prefix !== '' && hasDotSegment(url)) return refuse(400, 'The path must not hold dot segments.')
  return undefined
}

function isOwnHost({ headers, rawHeaders }: Asked, port: number): boolean {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
  const host = headers.host?.toLowerCase() ?? ''
  const own = ['127.0.0.1', 'localhost'].flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])])
  return hosts.length === 1 && own.includes(host)
}

function hasDotSegment(url: string): boolean {
  const [path = ''] = url.split(/[?#]/, 1)
  return path
    .replace(/%2e/gi, '.')
    .split(/[/\\]|%2f|%5c/i)
    .some((segment) => segment === '.' || segment === '..')
}

function refuse(status: Refusal['status'], reason: string): Refusal {
  return { status, reason }
}
