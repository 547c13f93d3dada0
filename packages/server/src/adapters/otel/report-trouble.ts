import { ExportResultCode } from '@opentelemetry/core'
import type { SpanExporter } from '@opentelemetry/sdk-trace'
import type { Log } from '../../core/ports.ts'

/** The exporter, which says in the log when traces begin to get lost, and when they no longer do. */
export function reportTrouble(exporter: SpanExporter, log: Log): SpanExporter {
  let isUp = true
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const arrived = result.code === ExportResultCode.SUCCESS
        if (isUp && !arrived) log.warn({ error: result.error }, 'traces do not reach the collector and are lost')
        if (!isUp && arrived) log.info({}, 'traces reach the collector again')
        isUp = arrived
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}
