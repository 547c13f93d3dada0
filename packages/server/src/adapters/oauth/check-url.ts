import { isIP } from 'node:net'
import { judgeAddress } from './address-policy.ts'

interface UrlProblem {
  kind: 'address' | 'form'
  /** Completes a sentence that begins with the URL. */
  reason: string
}

/**
 * What keeps the vault from calling a URL, as far as the URL itself tells; undefined when nothing does.
 * What a name resolves to is checked when connecting.
 */
export function findUrlProblem(url: URL, allowLoopback: boolean): UrlProblem | undefined {
  if (url.username || url.password) return { kind: 'form', reason: 'must not hold a user name or password' }
  // RFC 6749 section 3.1 and 3.2, RFC 8414 section 2
  if (url.hash || url.href.endsWith('#')) return { kind: 'form', reason: 'must not hold a fragment' }
  const host = judgeHost(url)
  if (host === 'refused') return { kind: 'address', reason: 'is at an address that the vault does not call' }
  if (host === 'loopback' && !allowLoopback && isHttp(url)) {
    return {
      kind: 'address',
      reason: 'is on this machine, which the vault calls only with loopback providers allowed',
    }
  }
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:' && host === 'loopback') return undefined
  return { kind: 'form', reason: 'must be https' }
}

/** A URL as messages may show it: a query can hold a code or a token. */
export function showUrl(url: URL): string {
  return `${url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin}${url.pathname}`
}

function isHttp(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'http:'
}

function judgeHost(url: URL): 'public' | 'loopback' | 'refused' | 'name' {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return judgeAddress(host)
  // RFC 6761 section 6.3: these names are loopback whatever a resolver says.
  return /(^|\.)localhost\.?$/.test(host) ? 'loopback' : 'name'
}
