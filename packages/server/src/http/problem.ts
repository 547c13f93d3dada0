import { type ErrorCode, errorTable, type Problem } from '@authconn/shared'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import { AuthconnError } from '../core/errors.ts'
import { harmlessName } from './harmless.ts'

export const problemType = 'application/problem+json; charset=utf-8'

/** Errors of the framework, by its codes, as ours. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'invalid_request',
}

/** Answers any error as RFC 9457 problem details, and logs those that are ours to mend. */
export function createErrorHandler(isDatabaseUnavailable: (error: unknown) => boolean) {
  return function answerError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
    const known = toAuthconnError(error, isDatabaseUnavailable)
    logFailure(request, error, known)
    sendProblem(reply, request.id, known)
  }
}

/** What may happen on any day is said in a line; what should not have happened, with all that is known of it. */
function logFailure(request: FastifyRequest, error: Error, known: AuthconnError): void {
  const { status, kind } = errorTable[known.code]
  if (status < 500) return
  if (kind !== 'unavailable' && kind !== 'provider') {
    request.log.error({ error }, 'request failed')
    return
  }
  const { code, message: reason, cause } = known
  request.log.warn(
    { code, reason, ...(cause instanceof Error ? { cause: nameCause(cause) } : {}) },
    'request failed',
  )
}

/** Some errors of Node's have a code and no message. */
function nameCause(cause: Error): string {
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}

export function sendProblem(reply: FastifyReply, requestId: string, error: AuthconnError): void {
  const problem = toProblem(requestId, error)
  reply.status(problem.status).type(problemType)
  if (error.retryAfter !== undefined) reply.header('retry-after', Math.ceil(error.retryAfter))
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="authconn"')
  reply.send(problem)
}

export function toProblem(requestId: string, error: AuthconnError): Problem {
  const { status, title, hint } = errorTable[error.code]
  return {
    type: `urn:authconn:error:${error.code}`,
    title,
    status: status || 500,
    code: error.code,
    detail: error.message,
    hint,
    request_id: requestId,
    ...(error.errors ? { errors: error.errors } : {}),
  }
}

function toAuthconnError(
  error: FastifyError | Error,
  isDatabaseUnavailable: (error: unknown) => boolean,
): AuthconnError {
  if (error instanceof AuthconnError) return error
  if ('validation' in error && error.validation) return invalidRequest(error)
  const code = 'code' in error && typeof error.code === 'string' ? frameworkCodes[error.code] : undefined
  if (code) return new AuthconnError(code)
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400) {
    return new AuthconnError('invalid_json')
  }
  if (isDatabaseUnavailable(error)) {
    return new AuthconnError('database_unavailable', undefined, { cause: error, retryAfter: 2 })
  }
  return new AuthconnError('internal_error', undefined, { cause: error })
}

function invalidRequest(error: FastifyError): AuthconnError {
  const part = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }[
    error.validationContext ?? 'body'
  ]
  const errors = (error.validation ?? []).map((problem) => ({
    pointer: `/${part}${problem.instancePath}`,
    detail: describeProblem(problem),
  }))
  const detail = errors.map((each) => `${each.pointer} ${each.detail}`).join('; ')
  return new AuthconnError('invalid_request', detail || error.message, { errors })
}

/** The validator's words, but where they leave out what a person needs. */
function describeProblem(problem: FastifySchemaValidationError): string {
  const { keyword, params, message = 'is not valid' } = problem
  if (keyword === 'additionalProperties')
    return `has an unknown field: ${harmlessName(String(params.additionalProperty))}`
  if (keyword === 'enum' && Array.isArray(params.allowedValues))
    return `must be one of ${params.allowedValues.join(', ')}`
  if (keyword === 'pattern' && 'parentSchema' in problem) {
    const { description } = problem.parentSchema as { description?: string }
    if (description) return `must be: ${description}`
  }
  return message
}
