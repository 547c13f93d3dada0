import type { KeyStatus } from '../core/crypto/key-status.ts'
import type { DamagedValue, Resealing } from '../core/crypto/reseal-values.ts'
import type { DataKeyRotation } from '../core/crypto/rotate-data-keys.ts'
import type { DamagedKey, KekRotation } from '../core/crypto/rotate-kek.ts'
import type { Verification } from '../core/crypto/verify-values.ts'

/** For programs and in words: nothing of it is secret. */
interface Rendered {
  data: unknown
  text: string
}

export function status({ keks, dataKeys, values }: KeyStatus): Rendered {
  const toRewrap = sum(keks.filter(({ isCurrent }) => !isCurrent).map((kek) => kek.dataKeys + kek.auditKeys))
  const toReseal = sum(values.map(({ former }) => former))
  const unknown = sum(values.map((column) => column.unknown))
  const share = ((100 * dataKeys.mostUses) / dataKeys.usesOfKey).toFixed(1)
  const lines = [
    'Key-encryption keys:',
    ...keks.map(({ id, isCurrent, isGiven, dataKeys: wrapped, auditKeys }) => {
      const role = isCurrent ? 'current' : isGiven ? 'former ' : 'MISSING'
      return `  ${id}  ${role}  wraps ${counted(wrapped, 'data key')}${auditKeys ? " and the audit log's" : ''}`
    }),
    `Data keys: one for each of ${counted(dataKeys.workspaces, 'workspace')}, and ${dataKeys.former} former, of which ${dataKeys.unused} in no use`,
    `  the oldest that is sealed with is from ${dataKeys.oldestNewest?.toISOString() ?? 'never'}; none has used up more than ${share} % of its bound`,
    `Sealed values: ${sum(values.map(({ newest }) => newest))} with the newest data key, ${toReseal} with a former one${unknown ? `, and ${unknown} OF NO KNOWN FORMAT` : ''}`,
    ...(toRewrap ? [`To be rewrapped: ${toRewrap}. Run: authconn-server keys rotate-kek`] : []),
    ...(toReseal ? [`To be resealed: ${toReseal}. Run: authconn-server keys reseal`] : []),
    ...(unknown ? ['Run authconn-server keys verify to see which values have no known format'] : []),
  ]
  return {
    data: {
      key_encryption_keys: keks.map((kek) => ({
        id: kek.id,
        current: kek.isCurrent,
        given: kek.isGiven,
        data_keys: kek.dataKeys,
        audit_keys: kek.auditKeys,
      })),
      data_keys: {
        workspaces: dataKeys.workspaces,
        former: dataKeys.former,
        unused: dataKeys.unused,
        oldest_newest: dataKeys.oldestNewest,
        most_uses: dataKeys.mostUses,
        uses_bound: dataKeys.usesOfKey,
      },
      sealed_values: values,
      to_rewrap: toRewrap,
      to_reseal: toReseal,
    },
    text: lines.join('\n'),
  }
}

export function kekRotation({ kekId, rewrapped, damaged }: KekRotation): Rendered {
  return {
    data: { kek_id: kekId, rewrapped, damaged: damaged.map(keyData) },
    text: [
      `${counted(rewrapped, 'key')} wrapped with ${kekId}; it has wrapped ${damaged.length ? 'all others' : 'all there are'}`,
      ...damaged.map(keyLine),
    ].join('\n'),
  }
}

export function dataKeyRotation({ made, left }: DataKeyRotation, olderThan: number): Rendered {
  const told = [`${counted(made, 'workspace has', 'workspaces have')} a new data key`]
  if (left > 0) told.push(`${left} had one that is younger than ${olderThan} seconds, or got one meanwhile`)
  if (made > 0)
    told.push(
      'Everything is sealed with it within ten seconds. For what is there, run: authconn-server keys reseal',
    )
  return { data: { made, left }, text: told.join('\n') }
}

export function resealing(
  { resealed, left, damaged }: Resealing,
  former: { dropped: number; waiting: number },
): Rendered {
  const told = [`${counted(resealed, 'value')} sealed again with the newest data key`]
  if (left > 0)
    told.push(`${left} left: somebody keeps them locked, or a vault of an older version writes them. Run it again`)
  if (former.dropped > 0) told.push(`${counted(former.dropped, 'former data key')} let go of`)
  if (former.waiting > 0)
    told.push(`${counted(former.waiting, 'former data key')} in no use, to be let go of in some minutes`)
  return {
    data: {
      resealed,
      left,
      damaged: damaged.map(valueData),
      keys_dropped: former.dropped,
      keys_unused: former.waiting,
    },
    text: [...told, ...damaged.map(valueLine)].join('\n'),
  }
}

export function verification({ keys, values, damagedKeys, damagedValues }: Verification): Rendered {
  const damages = damagedKeys.length + damagedValues.length
  return {
    data: { keys, values, damaged_keys: damagedKeys.map(keyData), damaged_values: damagedValues.map(valueData) },
    text: [
      `${counted(keys, 'key')} and ${counted(values, 'sealed value')} looked at: ${damages ? `${damages} DAMAGED` : 'all of them open'}`,
      ...damagedKeys.map(keyLine),
      ...damagedValues.map(valueLine),
    ].join('\n'),
  }
}

function keyData({ kind, id, workspaceId, reason }: DamagedKey) {
  return { kind, id, workspace: kind === 'data' ? workspaceId : null, reason }
}

function valueData({ table, column, row, workspaceId, reason }: DamagedValue) {
  return { table, column, row, workspace: workspaceId, reason }
}

function keyLine({ kind, id, workspaceId, reason }: DamagedKey): string {
  return kind === 'data' ? `data key ${id} of workspace ${workspaceId}: ${reason}` : `audit key ${id}: ${reason}`
}

function valueLine({ table, column, row, workspaceId, reason }: DamagedValue): string {
  return `${table}.${column} of ${row} in workspace ${workspaceId}: ${reason}`
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0)
}
