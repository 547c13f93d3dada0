import type { ErrorCode } from '@authconn/shared/errors'
import type { FastifyInstance } from 'fastify'
import type { RouteName } from './route-config.ts'

export interface HttpMeter {
  answered(route: RouteName, status: number, seconds: number): void
  /** Refused for who sent it, or for what that caller may do. */
  denied(code: ErrorCode): void
  /** Refused for a limit, before anything was looked up. */
  limited(limit: 'caller' | 'address' | 'exchange' | 'trust'): void
  /** Refused as the vault has more to do than it can. */
  shed(): void
}

declare module 'fastify' {
  interface FastifyRequest {
    /** How many requests were under way when it came, itself among them. */
    position: number
  }
}

/**
 * Counts and times every request, by the name of its route and never by its URL. Returns how many are under way, which
 * those are whose answer is not complete.
 */
export function measureRequests(app: FastifyInstance, meter: Pick<HttpMeter, 'answered'>): () => number {
  let underWay = 0
  const end = () => void underWay--
  app.decorateRequest('position', 0)
  app.addHook('onRequest', (request, reply, done) => {
    request.position = ++underWay
    // The one event that comes as well when the client has left before the answer.
    reply.raw.on('close', end)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    meter.answered(request.routeOptions.config.routeName ?? 'none', reply.statusCode, reply.elapsedTime / 1000)
    done()
  })
  return () => underWay
}
