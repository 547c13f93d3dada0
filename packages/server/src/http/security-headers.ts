import type { FastifyReply, FastifyRequest } from 'fastify'

const answerHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  // Nobody's page may read an answer, not even as an image or a script. CORS is off: there is no Access-Control field
  // anywhere, so no page of another origin gets to send an API key or to see what comes back.
  'cross-origin-resource-policy': 'same-origin',
  'x-permitted-cross-domain-policies': 'none',
}

/** What besides those matters only where a browser shows the answer. */
export const pageHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'x-dns-prefetch-control': 'off',
}

/** RFC 6797. A year, as ASVS 5.0 asks in 3.4.1. */
const strictTransport = 'max-age=31536000; includeSubDomains'

/**
 * Protects an answer, whatever route or error it comes from. Written by hand rather than by helmet: what a page needs
 * and what an answer of an API needs differ, and each header is paid for with every token that is fetched.
 */
export function sendSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(answerHeaders)
  if (request.protocol === 'https' && request.hostname !== 'localhost') {
    // Not for localhost, whose other ports a browser would reach by https only from then on.
    reply.header('strict-transport-security', strictTransport)
  }
  // Everything here is about secrets, so nothing of it belongs into a cache.
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  if (!reply.hasHeader('content-security-policy')) {
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  }
}

/** The same for an answer that is written before there is a request, as lines of a head. */
export const bareHeaders = Object.entries({ ...answerHeaders, 'cache-control': 'no-store' })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')
