import { asRequest } from './as-request.ts'

type Input = Parameters<typeof fetch>[0]

/**
 * What to give to fetch instead of the input, to send the same request a second time; undefined when its body can only
 * be read once. To be taken before the first time, which uses up the body of a Request.
 */
export function copyForRetry(input: Input, init: RequestInit | undefined): Input | undefined {
  // A body beside a Request goes before its own, and null counts as none (Fetch standard, `new Request`).
  const body = init?.body ?? undefined
  if (body !== undefined) return isStream(body) ? undefined : input
  const request = asRequest(input)
  return request?.body && !request.bodyUsed ? request.clone() : input
}

/** Streams of the web and of Node, and generators, are iterated asynchronously; no body that lasts is. */
function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
