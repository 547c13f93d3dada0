import type { IncomingMessage } from 'node:http'
import { AuthconnError, type Token } from '@authconn/sdk'

/** By which a proxy knows its own requests. */
export const pseudonym = 'authconn-proxy'

/** RFC 9110 section 7.6.1, and what older programs send in their place: these are between two neighbours. */
const hopByHop = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info'],
])

/** What only the proxy says to the upstream. */
const own = new Set(['host', 'authorization', 'expect', 'via', 'content-length', 'transfer-encoding'])

/** The headers for the upstream, as names and values in turn: those of the program, with the token. */
export function requestHeaders(request: Framed, host: string, token: Token): string[] {
  const via = valuesOf(request.rawHeaders, 'via')
  return [
    ...['Host', host, 'Authorization', authorizationOf(token)],
    ...['Via', [...via, `1.1 ${pseudonym}`].join(', ')],
    ...framing(request),
    ...endToEnd(request.rawHeaders).flatMap(([name, value]) => (own.has(name.toLowerCase()) ? [] : [name, value])),
  ]
}

/** The headers for the program; a redirect within the upstream stays within the proxy. */
export function responseHeaders(raw: readonly string[], upstream: URL, local: string): string[] {
  return endToEnd(raw).flatMap(([name, value]) => [
    name,
    name.toLowerCase() === 'location' ? localLocation(value, upstream, local) : value,
  ])
}

type Framed = Pick<IncomingMessage, 'method' | 'headers' | 'rawHeaders'>

/**
 * Where the body ends, as it was understood here and never as it was written: a body that nothing frames would be the
 * next request on a connection that programs share (RFC 9112 section 11.2).
 */
function framing({ method = 'GET', headers }: Framed): string[] {
  if (headers['transfer-encoding'] !== undefined) return ['Transfer-Encoding', 'chunked']
  if (headers['content-length'] !== undefined) return ['Content-Length', headers['content-length']]
  // RFC 9110 section 8.6; Node would send an empty body in chunks, which some servers refuse.
  return ['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method) ? [] : ['Content-Length', '0']
}

function endToEnd(raw: readonly string[]): [name: string, value: string][] {
  const named = new Set(connectionOptions(raw))
  return pairs(raw).filter(([name]) => !hopByHop.has(name.toLowerCase()) && !named.has(name.toLowerCase()))
}

/** The names in Connection, in lower case. */
export function connectionOptions(raw: readonly string[]): string[] {
  return valuesOf(raw, 'connection').flatMap((value) => value.toLowerCase().split(/[\s,]+/))
}

function valuesOf(raw: readonly string[], wanted: string): string[] {
  return pairs(raw).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []))
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1] ?? ''] satisfies [string, string]] : []))
}

function localLocation(value: string, upstream: URL, local: string): string {
  const target = URL.canParse(value) ? new URL(value) : undefined
  const prefix = upstream.pathname.replace(/\/$/, '')
  if (target?.origin !== upstream.origin || !`${target.pathname}/`.startsWith(`${prefix}/`)) return value
  return local + target.pathname.slice(prefix.length) + target.search + target.hash
}

/** Checked here, since the error of Node for what cannot be in a header would show the token. */
function authorizationOf({ token_type, access_token }: Token): string {
  const value = `${token_type} ${access_token}`
  if (/^[\x21-\x7e]+ [\x21-\x7e]+$/.test(value)) return value
  throw new AuthconnError('provider_answer_invalid', 'The access token has characters that fit in no header.')
}
