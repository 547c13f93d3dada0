import { Gauge, type Registry } from 'prom-client'
import type { RotationBacklog } from '../core/crypto/rotation-backlog.ts'

export interface KeyReadings {
  rotationBacklog(): Promise<RotationBacklog>
}

export function createKeyMetrics(registry: Registry, { rotationBacklog }: KeyReadings): void {
  const registers = [registry]
  new Gauge({
    name: 'authconn_keys_to_rewrap',
    help: 'Data keys, and the key of the audit log, that another than the current key-encryption key has wrapped',
    registers,
    async collect() {
      this.set((await rotationBacklog()).keysToRewrap)
    },
  })
  new Gauge({
    name: 'authconn_values_to_reseal',
    help: 'Sealed values that a former data key of their workspace has sealed',
    registers,
    async collect() {
      this.set((await rotationBacklog()).valuesToReseal)
    },
  })
}
