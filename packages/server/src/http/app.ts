import { randomUUID } from 'node:crypto'
import { createOpenApiDocument, errorTable, type OperationName, routes } from '@authconn/shared'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { hasApiKeyPrefix } from '../core/callers/api-key.ts'
import { requirePermission } from '../core/callers/permissions.ts'
import { AuthconnError } from '../core/errors.ts'
import type { Tracing } from '../tracing.ts'
import { addressOf } from './address-of.ts'
import { createAuditor } from './audited.ts'
import { answerBrokenRequest } from './broken-request.ts'
import type { TlsMaterial } from './create-server.ts'
import { docsHeaders, renderDocs } from './docs-page.ts'
import { harmlessPath } from './harmless.ts'
import { limitRequests } from './limit-requests.ts'
import { isFailedAuthentication, type Limits } from './limits.ts'
import { type HttpMeter, measureRequests } from './measure-requests.ts'
import { type Gate, type Handlers, registerOperation, registerTokenFetch, type TokenHandler } from './operation.ts'
import { createErrorHandler, sendProblem } from './problem.ts'
import './route-config.ts'
import { sendSecurityHeaders } from './security-headers.ts'
import { createServers } from './servers.ts'
import { shedLoad } from './shed-load.ts'
import { traceRequests } from './trace-requests.ts'
import { createValidatorCompiler } from './validator.ts'

const bodyLimit = 64 * 1024
const [, healthPath] = routes.getHealth

/** The HTTP server of the vault: translates between the contract and core, and decides nothing. */
export function createApp(
  deps: Gate & {
    handlers: Handlers
    fetchToken: TokenHandler
    isDatabaseUnavailable(error: unknown): boolean
    isStopping(): boolean
    limits: Limits
    meter: HttpMeter
    tracing: Pick<Tracing, 'begin'> | undefined
    /** Addresses and ranges whose X-Forwarded-For is believed. */
    trustedProxies: readonly string[]
    /** undefined: plain HTTP. */
    tls: TlsMaterial | undefined
    maxConnections: number
    renderMetrics(): Promise<{ contentType: string; text: string }>
    log: FastifyBaseLogger
    version: string
  },
): FastifyInstance {
  const { limits, meter } = deps
  const servers = createServers({
    tls: deps.tls,
    maxConnections: deps.maxConnections,
    onFull: () => deps.log.warn('more connections than AUTHCONN_MAX_CONNECTIONS: some were closed'),
  })
  const answerError = createErrorHandler(deps.isDatabaseUnavailable)
  const app = Fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit,
    serverFactory: servers.serverFactory,
    forceCloseConnections: 'idle',
    // The hook below answers instead, as the contract says.
    return503OnClosing: false,
    // Otherwise the address is that of the connection, whatever the headers say.
    trustProxy: deps.trustedProxies.length > 0 ? [...deps.trustedProxies] : false,
    routerOptions: { maxParamLength: 200 },
    requestIdHeader: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    // For these the hooks do not run.
    frameworkErrors(error, request, reply) {
      reply.header('x-request-id', request.id)
      sendSecurityHeaders(request, reply)
      answerError(error, request, reply)
    },
    clientErrorHandler: answerBrokenRequest,
  })

  // JSON is the only body; a form of another site could send text without a preflight.
  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler(createValidatorCompiler())
  app.setErrorHandler((error: Error, request, reply) => {
    if (error instanceof AuthconnError) request.trace?.failed(error.code)
    if (isFailedAuthentication(error, request)) limits.authenticationFailed(request)
    if (error instanceof AuthconnError && errorTable[error.code].kind === 'auth') meter.denied(error.code)
    answerError(error, request, reply)
  })
  app.setNotFoundHandler((request, reply) => {
    sendProblem(
      reply,
      request.id,
      new AuthconnError('not_found', `There is no ${request.method} ${harmlessPath(request.url)}`),
    )
  })
  servers.register(app)
  app.decorateRequest('caller', null)
  app.decorateRequest('about', null)
  if (deps.tracing) traceRequests(app, deps.tracing)
  const underWay = measureRequests(app, meter)
  // Hooks of every request call back: a promise for each is a turn of the microtask queue for each.
  app.addHook('onRequest', (request, _reply, done) => {
    if (!deps.isStopping() || request.routeOptions.url === healthPath) return done()
    done(new AuthconnError('not_ready', 'The vault is stopping', { retryAfter: 5 }))
  })
  limitRequests(app, limits)
  shedLoad(app, underWay, meter.shed)
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id)
    // What was in flight when the vault was told to stop must not keep its connection, or the stop waits for it.
    if (deps.isStopping()) reply.header('connection', 'close')
    sendSecurityHeaders(request, reply)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    // The route's pattern and never the URL: a query may hold what a person pasted.
    const { method, routeOptions, caller } = request
    // A flood must not become one of log lines: that it happens is said once, and counted.
    const level = reply.statusCode === 429 ? 'debug' : 'info'
    request.log[level](
      {
        method,
        route: routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ...(caller ? { caller: caller.name } : {}),
      },
      'request',
    )
    done()
  })

  for (const name of Object.keys(routes) as OperationName[]) {
    if (name === 'getToken') registerTokenFetch(app, deps.fetchToken)
    else registerOperation(app, name, deps.handlers[name], deps)
  }

  // Made when somebody asks: few vaults are ever asked, and all would pay for it at every start.
  let openapi: string | undefined
  app.get('/openapi.json', { config: { routeName: 'openapi' } }, (_request, reply) => {
    openapi ??= JSON.stringify(createOpenApiDocument(deps.version))
    reply.type('application/json; charset=utf-8').send(openapi)
  })
  app.get('/metrics', {
    config: { routeName: 'metrics', needsKey: true },
    async onRequest(request) {
      try {
        request.caller = await deps.authenticate(request.headers.authorization, addressOf(request))
        requirePermission(request.caller, 'metrics:read')
      } catch (error) {
        // That somebody reads them is no decision worth a record every few seconds; that somebody may not is.
        await createAuditor(deps.audit, 'getMetrics').refused(request, error)
        throw error
      }
    },
    async handler(_request, reply) {
      const { contentType, text } = await deps.renderMetrics()
      return reply.header('content-type', contentType).send(text)
    },
  })
  let docs: string | undefined
  app.get('/docs', { config: { routeName: 'docs' } }, (_request, reply) => {
    docs ??= renderDocs(deps.version)
    reply.headers(docsHeaders).send(docs)
  })
  return app
}

/**
 * A caller's own id is kept, for following a request through several systems, when it is harmless to print: an API key
 * in the wrong header would stand in every log line and audit record.
 */
function requestId(given: string | string[] | undefined): string {
  if (typeof given !== 'string' || !/^[A-Za-z0-9._-]{8,128}$/.test(given)) return randomUUID()
  return hasApiKeyPrefix(given) ? randomUUID() : given
}
