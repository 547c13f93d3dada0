import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { RefreshMeter } from '../core/grants/refresh-meter.ts'
import type { Connection } from '../core/ports.ts'

export interface RefreshReadings {
  countDue(): Promise<number>
  refusingProviders(): readonly string[]
}

export function createRefreshMetrics(registry: Registry, read: RefreshReadings): RefreshMeter {
  const registers = [registry]
  const refreshes = new Counter({
    name: 'authconn_refreshes_total',
    help: 'Attempts to refresh a grant, by provider and by outcome: refreshed, or the class of the failure',
    labelNames: ['provider', 'outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'authconn_refresh_duration_seconds',
    help: 'Time of an attempt from asking the provider until its outcome is stored',
    labelNames: ['provider'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    registers,
  })
  const leasesLost = new Counter({
    name: 'authconn_refresh_leases_lost_total',
    help: 'Attempts whose outcome was not stored, as the grant had changed or another replica had taken over',
    labelNames: ['provider'],
    registers,
  })
  new Gauge({
    name: 'authconn_refresh_due',
    help: 'Grants that are due to be refreshed and wait for it, in the whole database',
    registers,
    async collect() {
      this.set(await read.countDue())
    },
  })
  new Gauge({
    name: 'authconn_providers_left_alone',
    help: 'Providers that this process does not ask for the moment, after failures in a row',
    registers,
    collect() {
      this.set(read.refusingProviders().length)
    },
  })

  return {
    refreshed(connection, outcome, ms) {
      const provider = providerOf(connection)
      refreshes.inc({ provider, outcome })
      duration.observe({ provider }, ms / 1000)
    },
    leaseLost(connection) {
      leasesLost.inc({ provider: providerOf(connection) })
    },
  }
}

/** Its id in the catalog. A host would be a name that a workspace has chosen, and is for nobody outside of it. */
function providerOf({ provider }: Connection): string {
  return provider ?? 'other'
}
