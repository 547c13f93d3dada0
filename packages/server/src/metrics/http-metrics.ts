import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { HttpMeter } from '../http/measure-requests.ts'

/** From what a token costs that needs no refresh, to what a caller may wait for one. */
const seconds = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60]

export function createHttpMetrics(registry: Registry, readUnderWay: () => number): HttpMeter {
  const registers = [registry]
  const duration = new Histogram({
    name: 'authconn_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer, by operation and class of status',
    labelNames: ['operation', 'status'],
    buckets: seconds,
    registers,
  })
  new Gauge({
    name: 'authconn_http_requests_in_flight',
    help: 'Requests whose answer is not complete',
    registers,
    collect() {
      this.set(readUnderWay())
    },
  })
  const denials = new Counter({
    name: 'authconn_denials_total',
    help: 'Requests that were refused for who sent them or what that caller may do, by error code',
    labelNames: ['code'],
    registers,
  })
  const limited = new Counter({
    name: 'authconn_rate_limited_total',
    help: 'Requests that were refused with too_many_requests, by the limit they met',
    labelNames: ['limit'],
    registers,
  })
  const shed = new Counter({
    name: 'authconn_overloaded_total',
    help: 'Requests that were refused with overloaded, as the event loop was late',
    registers,
  })
  /** Kept, as finding one by its labels takes longer than counting with it. There are as many as operations and classes. */
  const observers = new Map<string, Histogram.Internal<'operation' | 'status'>>()
  function observerOf(operation: string, status: string) {
    const key = `${operation} ${status}`
    let observer = observers.get(key)
    if (!observer) {
      observer = duration.labels({ operation, status })
      observers.set(key, observer)
    }
    return observer
  }
  // So that a rate can be taken of what has not happened yet.
  for (const limit of ['caller', 'address', 'exchange', 'trust']) limited.inc({ limit }, 0)

  return {
    answered(operation, status, took) {
      observerOf(operation, `${Math.floor(status / 100)}xx`).observe(took)
    },
    limited: (limit) => limited.inc({ limit }),
    denied: (code) => denials.inc({ code }),
    shed: () => shed.inc(),
  }
}
