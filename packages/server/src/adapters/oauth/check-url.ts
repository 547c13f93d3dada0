import { isIP } from 'node:net'
import type { ErrorCode } from '@authconn/shared/errors'
import { judgeAddress } from './address-policy.ts'

/** What the operator allows to be called. */
export interface CallPolicy {
  /** Allows http and https to loopback addresses, and nothing else; for development. */
  allowLoopback: boolean
  /** Host names and patterns such as `*.example.com`, in lower case; undefined for any host. */
  allowedHosts?: readonly string[] | undefined
}

export interface UrlProblem {
  kind: 'address' | 'host' | 'form'
  /** Completes a sentence that begins with the URL. */
  reason: string
}

/** The codes of what is wrong with where a URL leads; its form is up to whoever gave it. */
export const urlErrors: Readonly<Record<UrlProblem['kind'], ErrorCode | undefined>> = {
  address: 'provider_address_refused',
  host: 'provider_host_not_allowed',
  form: undefined,
}

/**
 * What keeps the vault from calling a URL, as far as the URL itself tells; undefined when nothing does.
 * What a name resolves to is checked when connecting.
 */
export function findUrlProblem(url: URL, { allowLoopback, allowedHosts }: CallPolicy): UrlProblem | undefined {
  if (url.username || url.password) return { kind: 'form', reason: 'must not hold a user name or password' }
  // RFC 6749 section 3.1 and 3.2, RFC 8414 section 2
  if (url.hash || url.href.endsWith('#')) return { kind: 'form', reason: 'must not hold a fragment' }
  const host = judgeHost(url.hostname)
  if (host === 'refused') return { kind: 'address', reason: 'is at an address that the vault does not call' }
  if (host === 'loopback' && !allowLoopback && isHttp(url)) {
    return {
      kind: 'address',
      reason: 'is on this machine, which the vault calls only with loopback providers allowed',
    }
  }
  const isEncrypted = url.protocol === 'https:' || (url.protocol === 'http:' && host === 'loopback')
  if (!isEncrypted) return { kind: 'form', reason: 'must be https' }
  if (host !== 'loopback' && isPortOfOthers(url.port)) {
    return { kind: 'address', reason: 'is at a port that belongs to another service than https' }
  }
  if (allowedHosts && !allowedHosts.some((pattern) => isHostOf(pattern, url.hostname))) {
    return { kind: 'host', reason: 'is at a host that the operator of the vault does not allow' }
  }
  return undefined
}

/** A URL as messages may show it: a query can hold a code or a token. */
export function showUrl(url: URL): string {
  return `${url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin}${url.pathname}`
}

/** Whether a host is this machine by its very name: a loopback address, or localhost and what is below it. */
export function isThisMachine(hostname: string): boolean {
  return judgeHost(hostname) === 'loopback'
}

function isHttp(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'http:'
}

function judgeHost(hostname: string): 'public' | 'loopback' | 'refused' | 'name' {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return judgeAddress(host)
  // RFC 6761 section 6.3: these names are loopback whatever a resolver says.
  return /(^|\.)localhost\.?$/.test(host) ? 'loopback' : 'name'
}

/** The ports below 1024 are those of other well-known services: mail, names, files. An empty one is 443. */
function isPortOfOthers(port: string): boolean {
  return port !== '' && Number(port) < 1024
}

/** `*.example.com` stands for every name below example.com, and not for itself. */
function isHostOf(pattern: string, hostname: string): boolean {
  const name = hostname.replace(/\.$/, '')
  return pattern.startsWith('*.')
    ? name.length > pattern.length - 1 && name.endsWith(pattern.slice(1))
    : name === pattern
}
