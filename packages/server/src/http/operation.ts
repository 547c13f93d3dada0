import {
  type Contract,
  contract,
  type Endpoint,
  type Operation,
  type OperationName,
  type Permission,
  Problem,
  routes,
} from '@authconn/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AuditLog } from '../core/audit/audit-log.ts'
import type { Authenticate } from '../core/callers/authenticate.ts'
import { requirePermission } from '../core/callers/permissions.ts'
import { AuthconnError } from '../core/errors.ts'
import type { Caller } from '../core/ports.ts'
import { addressOf } from './address-of.ts'
import { createAuditor, targetOf } from './audited.ts'
import { refuseBody, refuseMisplaced } from './misplaced-parts.ts'

/** What a handler is given: the caller, and the parts of the request as the contract types them. */
export type HandlerInput<N extends OperationName> = Pick<Operation<N>, 'params' | 'query' | 'body'> & {
  caller: Contract[N]['permission'] extends 'public' ? undefined : Caller
  from: { address: string | null; requestId: string }
}

export type Handler<N extends OperationName> = (input: HandlerInput<N>) => Promise<Operation<N>['response']>

/** All but the token fetch, which has a way of its own. */
export type Handlers = { [N in Exclude<OperationName, 'getToken'>]: Handler<N> }

/** What stands between a request and its handler, whatever the operation. */
export interface Gate {
  authenticate: Authenticate
  audit: Pick<AuditLog, 'record'>
  /** What an authorization is for, which its id alone does not tell the audit log; undefined for none of this caller. */
  aboutAuthorization(caller: Caller, id: string): Promise<About | undefined>
}

export interface About {
  connection: string
  subject: string
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
    /** What it is about, where it does not say so itself. */
    about: About | null
  }
}

/**
 * Serves one operation of the contract: authentication, permission, audit, validation and serialization come from it.
 * Whoever is let through is on record before anything is done.
 */
export function registerOperation(
  app: FastifyInstance,
  name: OperationName,
  handler: (input: never) => Promise<unknown>,
  gate: Gate,
): void {
  const endpoint: Endpoint = contract[name]
  const auditor = createAuditor(gate.audit, name)
  const isPublic = endpoint.permission === 'public'
  const namesAuthorization =
    endpoint.tag === 'Authorizations' && Object.hasOwn(endpoint.params?.properties ?? {}, 'id')

  function demandPermission(caller: Caller, on?: Parameters<typeof requirePermission>[2]): void {
    if (endpoint.permission !== 'any') requirePermission(caller, endpoint.permission as Permission, on)
  }

  /** Before the body is read: who may not come in costs no parsing. */
  async function letIn(request: FastifyRequest): Promise<void> {
    try {
      request.caller = await gate.authenticate(request.headers.authorization, addressOf(request))
      demandPermission(request.caller)
    } catch (error) {
      await auditor.refused(request, error)
      throw error
    }
  }

  async function handle(request: FastifyRequest): Promise<unknown> {
    if (isPublic) return handler(input(request))
    try {
      if (!request.caller) throw new AuthconnError('unauthenticated')
      demandPermission(request.caller, targetOf(name, request))
      if (namesAuthorization) {
        const { id } = request.params as { id: string }
        request.about = (await gate.aboutAuthorization(request.caller, id)) ?? null
      }
      await auditor.allowed(request)
      return await handler(input(request))
    } catch (error) {
      await auditor.refused(request, error)
      throw error
    }
  }

  app.route({
    ...routeOf(name),
    async onRequest(request) {
      if (!isPublic) await letIn(request)
      refuseMisplaced(endpoint, request)
      if (!endpoint.body) refuseBody(endpoint, request)
    },
    async handler(request, reply) {
      reply.status(endpoint.success.status)
      return handle(request)
    },
  })
}

/**
 * Serves token fetches. They are authenticated where they are answered, together with others that come at the same
 * moment, and not before.
 */
export function registerTokenFetch(app: FastifyInstance, fetchToken: TokenHandler): void {
  const endpoint: Endpoint = contract.getToken
  app.route({
    ...routeOf('getToken'),
    onRequest(request, _reply, done) {
      refuseMisplaced(endpoint, request)
      refuseBody(endpoint, request)
      done()
    },
    handler: (request) => fetchToken(request, input(request)),
  })
}

export type TokenHandler = (
  request: FastifyRequest,
  input: Pick<Operation<'getToken'>, 'params' | 'query'>,
) => Promise<Operation<'getToken'>['response']>

function routeOf(name: OperationName) {
  const endpoint: Endpoint = contract[name]
  const [method, path] = routes[name]
  return {
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    config: { routeName: name, needsKey: endpoint.permission !== 'public', isOpen: isOpen(endpoint) },
    schema: {
      ...(endpoint.params ? { params: endpoint.params } : {}),
      // Without a schema any query would pass, and with it what somebody meant to say.
      querystring: endpoint.query ?? nothing,
      ...(endpoint.body ? { body: endpoint.body } : {}),
      response: { [endpoint.success.status]: endpoint.success.schema, '4xx': Problem, '5xx': Problem },
    },
  }
}

/** Health and readiness are public as well: whoever asks for them is a load balancer, and must not be refused. */
function isOpen({ permission, tag }: Endpoint): boolean {
  return permission === 'public' && tag !== 'Operations'
}

const nothing = { type: 'object', properties: {}, additionalProperties: false }

/** Validation has made the parts what the contract says; the type system cannot see that. */
function input(request: FastifyRequest): never {
  const { caller, params, query, body, id: requestId } = request
  return { caller, params, query, body, from: { address: addressOf(request), requestId } } as never
}
