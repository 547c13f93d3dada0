import { Counter, type Registry } from 'prom-client'
import type { IdentityMeter } from '../core/trusts/record-exchange.ts'

export function createIdentityMetrics(registry: Registry): IdentityMeter {
  const exchanges = new Counter({
    name: 'authconn_identity_exchanges_total',
    help: 'OpenID Connect tokens that were presented for a key, by what came of it: accepted, unavailable (the keys of the issuer), failed, or why the token was refused',
    labelNames: ['outcome'],
    registers: [registry],
  })
  // So that a rate can be taken of what has not happened yet.
  for (const outcome of ['accepted', 'unavailable', 'failed']) exchanges.inc({ outcome }, 0)
  return { exchanged: (outcome) => exchanges.inc({ outcome }) }
}
