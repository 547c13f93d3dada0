import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { AuthconnError } from '../core/errors.ts'

/**
 * Milliseconds by which timers are late, on average over a second, when a vault has more to do than it can. A busy one
 * stays below 20, however many ask; what comes when it is far above that waits for an answer that nobody waits for any
 * more.
 */
export const mostLag = 500

/**
 * With so few requests under way it is only a moment: it is starting, say, others have the processor, or a thousand callers
 * came for one token.
 */
export const mostAtEase = 2_000

declare module 'fastify' {
  interface FastifyInstance {
    load: {
      /** Requests that have no complete answer. */
      underWay(): number
      /** Whether requests are refused for it. */
      isOverloaded(): boolean
    }
  }
}

/**
 * Refuses what has the database work while the event loop is late and much is under way, so that what was let in is answered.
 * Judged by nothing else: full use of the processor is what a busy vault is for, and memory full of garbage is no
 * trouble yet.
 */
export function shedLoad(app: FastifyInstance, underWay: () => number, onShed: () => void): void {
  app.register(underPressure.default, {
    maxEventLoopDelay: mostLag,
    sampleInterval: 1000,
    pressureHandler(request) {
      const { needsKey, isOpen } = request.routeOptions.config
      if (request.position <= mostAtEase || (!needsKey && !isOpen)) return
      onShed()
      throw new AuthconnError('overloaded', undefined, { retryAfter: 2 })
    },
  })
  app.decorate('load', { underWay, isOverloaded: () => app.isUnderPressure() && underWay() > mostAtEase })
}
