import { AuthconnError, type Token } from '@authconn/sdk'
import { pseudonym } from './judge-local-request.ts'

/** RFC 9110 section 7.6.1, and what older programs send in their place: these are between two neighbours. */
const hopByHop = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info'],
])

/** What only the proxy says to the upstream. */
const own = new Set(['host', 'authorization', 'expect', 'via'])

/** The headers for the upstream, as names and values in turn: those of the program, with the token. */
export function requestHeaders(raw: readonly string[], host: string, token: Token): string[] {
  const via = valuesOf(raw, 'via')
  return [
    ...['Host', host, 'Authorization', authorizationOf(token)],
    ...['Via', [...via, `1.1 ${pseudonym}`].join(', ')],
    ...endToEnd(raw).flatMap(([name, value]) => (own.has(name.toLowerCase()) ? [] : [name, value])),
  ]
}

/** The headers for the program; a redirect within the upstream stays within the proxy. */
export function responseHeaders(raw: readonly string[], upstream: URL, local: string): string[] {
  return endToEnd(raw).flatMap(([name, value]) => [
    name,
    name.toLowerCase() === 'location' ? localLocation(value, upstream, local) : value,
  ])
}

function endToEnd(raw: readonly string[]): [name: string, value: string][] {
  const named = new Set(valuesOf(raw, 'connection').flatMap((value) => value.toLowerCase().split(/[\s,]+/)))
  return pairs(raw).filter(([name]) => !hopByHop.has(name.toLowerCase()) && !named.has(name.toLowerCase()))
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
