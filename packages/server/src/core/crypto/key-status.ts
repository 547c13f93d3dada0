import type { KeyCounts, KeyStore, SealedStore, ValueCounts } from '../key-port.ts'
import type { KeyEncryptionKeys } from './key-encryption-key.ts'
import { places } from './places.ts'
import { sealingLimits } from './sealing-keys.ts'

export interface KeyStatus {
  keks: {
    id: string
    isCurrent: boolean
    isGiven: boolean
    dataKeys: number
    auditKeys: number
  }[]
  dataKeys: Omit<KeyCounts, 'wrapped'> & { usesOfKey: number }
  values: (ValueCounts & { table: string; column: string })[]
}

/** Which key wraps and seals how much. Counts everything, so it takes a while in a large vault. */
export async function readKeyStatus(deps: {
  keys: Pick<KeyStore, 'count'>
  values: Pick<SealedStore, 'count'>
  keks: KeyEncryptionKeys
}): Promise<KeyStatus> {
  const { wrapped, ...dataKeys } = await deps.keys.count()
  const values = []
  for (const { table, column } of Object.values(places)) {
    values.push({ table, column, ...(await deps.values.count({ table, column })) })
  }
  const { current } = deps.keks
  const unused = { kekId: current.id, dataKeys: 0, auditKeys: 0 }
  const all = wrapped.some(({ kekId }) => kekId === current.id) ? wrapped : [unused, ...wrapped]
  return {
    keks: all.map(({ kekId, ...counts }) => ({
      id: kekId,
      isCurrent: kekId === current.id,
      isGiven: deps.keks.find(kekId) !== undefined,
      ...counts,
    })),
    dataKeys: { ...dataKeys, usesOfKey: sealingLimits.usesOfKey },
    values,
  }
}
