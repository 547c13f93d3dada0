import type { Endpoint } from '@authconn/shared'
import type { FastifyRequest } from 'fastify'
import { invalidPart } from '../core/errors.ts'

/**
 * Refuses a field of the body that came in the query, and says where it belongs: a subject that is overlooked would
 * have the application's grant revoked. Throws invalid_request.
 */
export function refuseMisplaced(endpoint: Endpoint, request: FastifyRequest): void {
  const inBody = Object.keys(endpoint.body?.properties ?? {})
  const misplaced = inBody.filter((name) => isIn(request.query, name) && !isIn(endpoint.query?.properties, name))
  if (misplaced.length > 0) throw invalidPart('/query', `${list(misplaced)} into the body`)
}

/**
 * Refuses any body where the contract has none, rather than overlooking what it says. Throws invalid_request.
 * Not even `{}` passes: it could only be told from a body with fields by reading it.
 */
export function refuseBody(endpoint: Endpoint, request: FastifyRequest): void {
  const { headers } = request.raw
  const length = headers['content-length'] ?? '0'
  if (headers['transfer-encoding'] !== undefined || length !== '0') {
    const inQuery = Object.keys(endpoint.query?.properties ?? {})
    const advice = inQuery.length > 0 ? `; ${list(inQuery)} into the query` : ''
    throw invalidPart('/body', `must be left out, as this operation takes none${advice}`)
  }
  // Many clients name a type with every request; of a body that is not there it says nothing.
  delete headers['content-type']
}

function isIn(part: unknown, name: string): boolean {
  return typeof part === 'object' && part !== null && Object.hasOwn(part, name)
}

function list(names: readonly string[]): string {
  return `${names.join(', ')} ${names.length === 1 ? 'belongs' : 'belong'}`
}
