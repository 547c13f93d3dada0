import {
  type Contract,
  contract,
  type Endpoint,
  type Operation,
  type OperationName,
  Problem,
  routes,
} from '@authconn/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Authenticate } from '../core/callers/authenticate.ts'
import { requirePermission } from '../core/callers/permissions.ts'
import type { Caller } from '../core/ports.ts'
import { refuseBody, refuseMisplaced } from './misplaced-parts.ts'

/** What a handler is given: the caller, and the parts of the request as the contract types them. */
export type HandlerInput<N extends OperationName> = Pick<Operation<N>, 'params' | 'query' | 'body'> & {
  caller: Contract[N]['permission'] extends 'public' ? undefined : Caller
}

export type Handler<N extends OperationName> = (input: HandlerInput<N>) => Promise<Operation<N>['response']>

export type Handlers = { [N in OperationName]: Handler<N> }

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** Serves one operation of the contract: authentication, permission, validation and serialization come from it. */
export function registerOperation(
  app: FastifyInstance,
  name: OperationName,
  handler: (input: never) => Promise<unknown>,
  authenticate: Authenticate,
): void {
  const endpoint: Endpoint = contract[name]
  const [method, path] = routes[name]
  app.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    schema: {
      ...(endpoint.params ? { params: endpoint.params } : {}),
      // Without a schema any query would pass, and with it what somebody meant to say.
      querystring: endpoint.query ?? nothing,
      ...(endpoint.body ? { body: endpoint.body } : {}),
      response: { [endpoint.success.status]: endpoint.success.schema, '4xx': Problem, '5xx': Problem },
    },
    // Before the body is read: who may not come in costs no parsing.
    async onRequest(request) {
      if (endpoint.permission !== 'public') {
        request.caller = await authenticate(request.headers.authorization)
        requirePermission(request.caller, endpoint.permission)
      }
      refuseMisplaced(endpoint, request)
      if (!endpoint.body) refuseBody(endpoint, request)
    },
    async handler(request, reply) {
      reply.status(endpoint.success.status)
      return handler(input(request))
    },
  })
}

const nothing = { type: 'object', properties: {}, additionalProperties: false }

/** Validation has made the parts what the contract says; the type system cannot see that. */
function input(request: FastifyRequest): never {
  const { caller, params, query, body } = request
  return { caller, params, query, body } as never
}
