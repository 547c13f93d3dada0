import type { IncomingMessage } from 'node:http'
import { matchCallback } from './match-callback.ts'

export type Verdict = { kind: 'callback'; redirectedUrl: string } | Refusal

export interface Refusal {
  kind: 'refuse'
  status: 400 | 404 | 405 | 421 | 503
  reason: string
}

export interface Expected {
  redirectUri: string
  /** undefined as long as no authorization has begun. */
  state: string | undefined
}

/** Whether a request is the one waited for. Nothing that a stranger can send makes it so without knowing the state. */
export function judgeRequest(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>,
  { redirectUri, state }: Expected,
): Verdict {
  const { method, url = '', headers } = request
  const own = new URL(redirectUri)
  // A page that has its own name point to 127.0.0.1 (DNS rebinding) comes with that name.
  if (!isOwnHost(request, own)) return refuse(421, 'This address serves the end of an authorization only.')
  // Cut by hand: a parser would take //host/callback for another host, and /x/../callback for the path.
  const [path] = url.split('?', 1)
  if (path !== own.pathname) return refuse(404, 'There is nothing here.')
  if (method !== 'GET') return refuse(405, 'Only GET is answered here.')
  if (isPrefetch(headers)) return refuse(503, 'This page cannot be fetched ahead.')
  if (state === undefined) return refuse(503, 'No authorization has begun yet.')
  const match = matchCallback(own.origin + url, { redirectUri, state })
  return match.genuine ? { kind: 'callback', redirectedUrl: match.redirectedUrl } : refuse(400, match.reason)
}

function isOwnHost({ headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>, own: URL): boolean {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
  const host = headers.host?.toLowerCase()
  // Browsers leave out port 80, as does URL.
  return hosts.length === 1 && (host === own.host || (own.port === '' && host === `${own.hostname}:80`))
}

/** Browsers may fetch what they expect to be opened; that is not the person coming back. */
function isPrefetch(headers: IncomingMessage['headers']): boolean {
  const purposes = [headers['sec-purpose'], headers.purpose, headers['x-purpose'], headers['x-moz']]
  return purposes.some((purpose) => /prefetch|prerender|preview/i.test(String(purpose ?? '')))
}

function refuse(status: Refusal['status'], reason: string): Refusal {
  return { kind: 'refuse', status, reason }
}
