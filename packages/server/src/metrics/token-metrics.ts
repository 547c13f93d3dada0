import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** What happens on the way of a token, beyond its requests. */
export interface TokenMeter {
  /** So many fetches were looked up together. */
  lookedUp(together: number): void
  /** So many records were appended to the audit log together, in so many milliseconds; or were not. */
  appended(together: number, ms: number, durable: boolean): void
}

const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

export function createTokenMetrics(registry: Registry, readWaiting: () => number): TokenMeter {
  const registers = [registry]
  const batches = new Histogram({
    name: 'authconn_token_batch_size',
    help: 'Token fetches that were looked up together',
    buckets: sizes,
    registers,
  })
  new Gauge({
    name: 'authconn_token_queue',
    help: 'Token fetches that wait to be looked up',
    registers,
    collect() {
      this.set(readWaiting())
    },
  })
  const appends = new Histogram({
    name: 'authconn_audit_append_seconds',
    help: 'Time until the records of a batch were durable in the audit log',
    buckets: [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 15],
    registers,
  })
  const records = new Counter({
    name: 'authconn_audit_records_total',
    help: 'Records of the audit log, by whether they became durable',
    labelNames: ['durable'],
    registers,
  })
  return {
    lookedUp: (together) => batches.observe(together),
    appended(together, ms, durable) {
      appends.observe(ms / 1000)
      records.inc({ durable: String(durable) }, together)
    },
  }
}
