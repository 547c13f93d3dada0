import type { AuditStore } from './core/audit-port.ts'
import type { TokenMeter } from './metrics/token-metrics.ts'

/** The appends of an audit store, measured. */
export function measureAppends(store: Pick<AuditStore, 'append'>, meter: TokenMeter): Pick<AuditStore, 'append'> {
  return {
    async append(rows) {
      const started = performance.now()
      let durable = false
      try {
        await store.append(rows)
        durable = true
      } finally {
        meter.appended(rows.length, performance.now() - started, durable)
      }
    },
  }
}
