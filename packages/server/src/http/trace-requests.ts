import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { RequestTrace, Tracing } from '../tracing.ts'
import type { RouteName } from './route-config.ts'

declare module 'fastify' {
  interface FastifyRequest {
    trace: RequestTrace | null
  }
}

/** Gives every request a span that is called by the name of its route, and never by its URL. */
export function traceRequests(app: FastifyInstance, { begin }: Pick<Tracing, 'begin'>): void {
  app.decorateRequest('trace', null)
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers, id, routeOptions } = request
    // What asks every few seconds and is of no interest to anybody.
    if (probes.has(routeOptions.config.routeName) && headers.traceparent === undefined) return done()
    const trace = begin(routeOptions.config.routeName ?? 'none', headers, {
      'http.request.method': method,
      'http.route': routeOptions.url ?? 'none',
      'authconn.request_id': id,
    })
    request.trace = trace
    reply.raw.once('close', () => trace.end(reply.raw.writableFinished ? reply.statusCode : undefined))
    trace.run(done)
  })
  // A body arrives by events of the connection, and an answer leaves by them: neither knows the request any more.
  app.addHook('preValidation', resume)
  app.addHook('onResponse', resume)
}

const probes: ReadonlySet<RouteName | undefined> = new Set(['getHealth', 'getReadiness', 'metrics'])

function resume({ trace }: FastifyRequest, _reply: unknown, done: () => void): void {
  if (trace) trace.run(done)
  else done()
}
