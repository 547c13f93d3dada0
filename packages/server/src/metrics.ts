import { collectDefaultMetrics, Registry } from 'prom-client'
import type { OpenDatabase } from './adapters/postgres/open-database.ts'
import type { RefreshMeter } from './core/grants/refresh-meter.ts'
import type { IdentityMeter } from './core/trusts/record-exchange.ts'
import type { HttpMeter } from './http/measure-requests.ts'
import { createHttpMetrics } from './metrics/http-metrics.ts'
import { createIdentityMetrics } from './metrics/identity-metrics.ts'
import { createKeyMetrics, type KeyReadings } from './metrics/key-metrics.ts'
import { createPoolMetrics } from './metrics/pool-metrics.ts'
import { createRefreshMetrics, type RefreshReadings } from './metrics/refresh-metrics.ts'
import { createTokenMetrics, type TokenMeter } from './metrics/token-metrics.ts'

export interface Metrics {
  refreshes: RefreshMeter
  http: HttpMeter
  tokens: TokenMeter
  identities: IdentityMeter
  /** All figures in Prometheus' text format. */
  render(): Promise<{ contentType: string; text: string }>
}

/**
 * The vault's figures. Labels are providers, operations and outcomes: never a name that somebody in a workspace has
 * chosen.
 */
export function createMetrics(
  read: RefreshReadings &
    KeyReadings &
    Pick<OpenDatabase, 'poolState'> & {
      requestsUnderWay(): number
      tokensWaiting(): number
    },
): Metrics {
  const registry = new Registry()
  const refreshes = createRefreshMetrics(registry, read)
  const http = createHttpMetrics(registry, read.requestsUnderWay)
  const tokens = createTokenMetrics(registry, read.tokensWaiting)
  const identities = createIdentityMetrics(registry)
  createKeyMetrics(registry, read)
  if (read.poolState) createPoolMetrics(registry, read.poolState)
  let watchesProcess = false

  return {
    refreshes,
    http,
    tokens,
    identities,
    async render() {
      // With the first scrape: they keep a timer and an observer running, which a vault that nobody scrapes can do without.
      if (!watchesProcess) collectDefaultMetrics({ register: registry })
      watchesProcess = true
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
