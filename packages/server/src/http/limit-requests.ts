import type { FastifyInstance } from 'fastify'
import type { Limits } from './limits.ts'

/** Milliseconds after which a refusal is answered, so that who asks again at once cannot do so often. */
const holdBack = 200

/** Refusals that wait at a time: they take memory, and more of them are answered at once. */
const mostHeld = 1000

/**
 * Puts the limits before every route that asks for a key, or has the database work without one, so that who is over one
 * costs no look into the database. Health checks and the documentation answer everybody.
 */
export function limitRequests(app: FastifyInstance, limits: Limits): void {
  let held = 0
  app.decorateRequest('keyHash', null)
  app.addHook('onRequest', (request, reply, done) => {
    const { needsKey, isOpen } = request.routeOptions.config
    if (!needsKey && !isOpen) return done()
    let refusal: Error | undefined
    try {
      limits.check(request, reply)
    } catch (error) {
      refusal = error as Error
    }
    if (refusal === undefined || held >= mostHeld) return done(refusal)
    held++
    setTimeout(() => {
      held--
      done(refusal)
    }, holdBack)
  })
  app.addHook('onResponse', (request, reply, done) => {
    // Only an operation that was carried out proves the key: whether another was refused before it was looked up, the
    // status does not tell.
    if (request.keyHash !== null && reply.statusCode < 300) limits.authenticated(request)
    done()
  })
}
