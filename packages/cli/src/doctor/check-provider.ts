import type { Connection } from '@authconn/sdk'
import type { Check } from './check.ts'

const patience = 5000
const maxBytes = 256 * 1024

/**
 * Whether what the provider publishes about itself (OpenID Connect Discovery, RFC 8414) is what the connection uses, as
 * far as this machine can reach it: the vault may reach more, or less.
 */
export async function checkProvider(connection: Connection, signal: AbortSignal): Promise<Check> {
  const name = 'provider metadata'
  const { issuer_url: issuer } = connection
  if (issuer === null) return { name, status: 'skipped', detail: 'the connection has no issuer to ask' }
  // Of a provider that has one for each tenant, and fills it in only in what it issues.
  if (issuer.includes('{')) return { name, status: 'skipped', detail: `${issuer} differs by tenant` }
  const failures: string[] = []
  for (const url of metadataUrls(issuer)) {
    const answer = await fetchMetadata(url, signal)
    if ('metadata' in answer) return compare(connection, issuer, answer.metadata)
    failures.push(`${url}: ${answer.failure}`)
  }
  return {
    name,
    status: 'warning',
    detail: `none was found. ${failures.join('; ')}`,
    hint: 'If the provider publishes none, this does no harm. Otherwise check the issuer, and whether a proxy is needed.',
  }
}

/** RFC 8414 section 3.1 puts the well-known part before the path of the issuer, OpenID Connect behind it. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

async function fetchMetadata(
  url: string,
  signal: AbortSignal,
): Promise<{ metadata: Readonly<Record<string, unknown>> } | { failure: string }> {
  const late = AbortSignal.timeout(patience)
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.any([signal, late]) })
    const text = await readStart(response)
    if (!response.ok) return { failure: `answers with ${response.status}` }
    const value: unknown = text === undefined ? undefined : JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? { metadata: value as Readonly<Record<string, unknown>> }
      : { failure: 'answers with no metadata' }
  } catch (error) {
    signal.throwIfAborted()
    if (late.aborted) return { failure: `no answer within ${patience / 1000} s` }
    if (error instanceof SyntaxError) return { failure: 'answers with something that is not JSON' }
    const { message, cause } = error instanceof Error ? error : new Error(String(error))
    return { failure: cause instanceof Error ? cause.message : message }
  }
}

/** undefined when it is longer than metadata is. */
async function readStart(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The endpoints of the main job alone: catalog and flags choose others for good reasons. */
function compare({ endpoints }: Connection, issuer: string, metadata: Readonly<Record<string, unknown>>): Check {
  const used = {
    issuer,
    authorization_endpoint: endpoints.authorization_endpoint,
    token_endpoint: endpoints.token_endpoint,
  }
  const different = Object.entries(used).flatMap(([field, value]) => {
    const published = metadata[field]
    return value !== undefined && typeof published === 'string' && published !== value
      ? [`${field} is ${value} here and ${published} there`]
      : []
  })
  const name = 'provider metadata'
  if (different.length === 0) return { name, status: 'ok', detail: `${issuer} publishes what the connection uses` }
  return {
    name,
    status: 'warning',
    detail: different.join('; '),
    hint: 'If that was not given by flags on purpose, delete the connection and create it anew: it is discovered then.',
  }
}
