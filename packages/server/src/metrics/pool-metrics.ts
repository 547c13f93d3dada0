import { Gauge, type Registry } from 'prom-client'

export function createPoolMetrics(
  registry: Registry,
  read: () => { total: number; idle: number; waiting: number },
): void {
  new Gauge({
    name: 'authconn_database_connections',
    help: 'Connections to PostgreSQL that this process has open, by whether a query is using them',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { total, idle } = read()
      this.set({ state: 'idle' }, idle)
      this.set({ state: 'busy' }, total - idle)
    },
  })
  new Gauge({
    name: 'authconn_database_waiting',
    help: 'Queries that wait for a connection',
    registers: [registry],
    collect() {
      this.set(read().waiting)
    },
  })
}
