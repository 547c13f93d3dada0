import { contract, type OperationName } from '@authconn/shared'
import type { FastifyRequest } from 'fastify'
import type { AuditLog } from '../core/audit/audit-log.ts'
import type { AuditFacts } from '../core/audit-port.ts'
import { hasApiKeyPrefix } from '../core/callers/api-key.ts'
import { AuthconnError } from '../core/errors.ts'
import { addressOf } from './address-of.ts'

export interface Auditor {
  /** The caller may: on record before anything is done. Throws audit_unavailable, and then nothing is done. */
  allowed(request: FastifyRequest): Promise<void>
  /** The caller may not, or it came to nothing. Never throws: the error is on its way, and nothing leaves with it. */
  refused(request: FastifyRequest, error: unknown): Promise<void>
}

/** Puts the requests of one operation on record. */
export function createAuditor(audit: Pick<AuditLog, 'record'>, action: OperationName | 'getMetrics'): Auditor {
  return {
    allowed: (request) =>
      audit.record([{ ...factsOf(request, action, request.caller), outcome: 'allowed', reason: null }]),
    async refused(request, error) {
      const code = error instanceof AuthconnError ? error.code : 'internal_error'
      // Without a key there is nobody to decide about; what cannot be recorded cannot be recorded now either.
      if (code === 'unauthenticated' || code === 'audit_unavailable') return
      const outcome = code === 'invalid_api_key' || code === 'permission_denied' ? 'denied' : 'failed'
      const actor = request.caller ?? (error instanceof AuthconnError ? error.actor : undefined) ?? null
      await audit.record([{ ...factsOf(request, action, actor), outcome, reason: code }]).catch((failure) => {
        request.log.error({ error: failure }, 'a refusal could not be recorded in the audit log')
      })
    },
  }
}

function factsOf(
  request: FastifyRequest,
  action: OperationName | 'getMetrics',
  actor: AuditFacts['actor'],
): Omit<AuditFacts, 'outcome' | 'reason'> {
  const { connection, subject } = request.about ?? (action === 'getMetrics' ? {} : targetOf(action, request))
  return {
    actor,
    action,
    connection: actor ? (connection ?? null) : null,
    target: actor ? otherTargetOf(action, request, connection) : null,
    subject: actor ? (subject ?? null) : null,
    address: addressOf(request),
    requestId: request.id,
  }
}

/**
 * What a request is about: a connection by its name, and a subject. What does not look like one, before the parts have
 * been validated, is left out.
 */
export function targetOf(
  action: OperationName,
  { params, query, body }: FastifyRequest,
): { connection?: string; subject?: string } {
  const { tag } = contract[action]
  if (tag !== 'Connections' && tag !== 'Tokens' && tag !== 'Authorizations') return {}
  const connection = field(params, 'name') ?? field(body, 'name')
  const subject = field(query, 'subject') ?? field(body, 'subject')
  return {
    ...(connection !== undefined && /^[a-z0-9-]{1,63}$/.test(connection) ? { connection } : {}),
    ...(subject !== undefined && subject.length <= 255 && !/[\p{Cc}\p{Cs}]/u.test(subject) ? { subject } : {}),
  }
}

/** A caller, a trust, a workspace or an authorization, by its id or name. */
function otherTargetOf(
  action: OperationName | 'getMetrics',
  { params, body }: FastifyRequest,
  connection: string | undefined,
): string | null {
  const isTrust = action === 'getTrust' || action === 'revokeTrust'
  const target = field(params, isTrust ? 'name' : 'id') ?? field(body, 'name')
  if (target === undefined || target === connection || hasApiKeyPrefix(target)) return null
  return /^[\w.-]{1,64}$/.test(target) ? target : null
}

function field(part: unknown, name: string): string | undefined {
  const value: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, name) : undefined
  return typeof value === 'string' ? value : undefined
}
