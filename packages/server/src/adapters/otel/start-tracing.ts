import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Log } from '../../core/ports.ts'
import type { Tracing } from '../../tracing.ts'
import { reportTrouble } from './report-trouble.ts'

/** Milliseconds that a collector has to take what it is sent; also at the end, which nobody wants to wait for. */
const patience = 3000

/**
 * Sends spans to a collector. Nothing is registered globally and nothing patches anything: there are the spans that the
 * vault makes itself, with what it puts on them.
 */
export function startTracing(settings: {
  url: string
  /** Of the requests that come without a trace, the share that begins one: 0 to 1. */
  ratio: number
  version: string
  log: Log
}): Tracing {
  const { url, ratio, version, log } = settings
  const exporter = reportTrouble(new OTLPTraceExporter({ url, timeoutMillis: patience }), log)
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'authconn',
      'service.version': version,
      'service.instance.id': randomUUID(),
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, by which OpenTelemetry is told such things everywhere.
    }).merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter, scheduledDelayMillis: 2000, exportTimeoutMillis: patience }),
    ],
  })
  const tracer = provider.getTracer('authconn', version)
  const propagator = new W3CTraceContextPropagator()
  const current = new AsyncLocalStorage<Span>()

  function contextOf(span: Span | undefined): Context {
    return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT
  }

  return {
    begin(name, headers, facts) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, getter)
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes: { ...facts } }, parent)
      return {
        run: (work) => current.run(span, work),
        failed: (code) => void span.setAttribute('error.type', code),
        end(status) {
          if (status === undefined) span.setAttribute('error.type', 'client_left')
          else span.setAttribute('http.response.status_code', status)
          if (status !== undefined && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
          span.end()
        },
      }
    },
    wrap(name, work, { isOutbound = false, before, after } = {}) {
      const kind = isOutbound ? SpanKind.CLIENT : SpanKind.INTERNAL
      return (...given) => {
        const attributes = { ...before?.(...given) }
        const span = tracer.startSpan(name, { kind, attributes }, contextOf(current.getStore()))
        return current.run(span, async () => {
          try {
            const result = await work(...given)
            if (after) span.setAttributes({ ...after(result) })
            return result
          } catch (error) {
            // Its class and nothing of its words: they may hold what a provider said.
            span.setAttribute('error.type', classOf(error)).setStatus({ code: SpanStatusCode.ERROR })
            throw error
          } finally {
            span.end()
          }
        })
      }
    },
    logFields() {
      const span = current.getStore()
      return span ? { trace_id: span.spanContext().traceId } : {}
    },
    async stop() {
      await Promise.race([provider.shutdown().catch(() => undefined), sleep(patience, undefined, { ref: false })])
    },
  }
}

const getter = {
  keys: (headers: Headers) => Object.keys(headers),
  get: (headers: Headers, name: string) => headers[name],
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

function classOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  for (const property of ['code', 'kind'] as const) {
    const value: unknown = Reflect.get(error, property)
    if (typeof value === 'string') return value
  }
  return error.name
}
