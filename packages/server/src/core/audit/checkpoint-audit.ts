import type { KeyObject } from 'node:crypto'
import type { AuditRow, AuditStore, Checkpoint, CheckpointContent, StreamHead } from '../audit-port.ts'
import type { Log } from '../ports.ts'
import type { AuditLog } from './audit-log.ts'
import { macOfCheckpoint, macOfRow, streamStart } from './audit-mac.ts'

export interface AuditCheckpoints {
  /** Vouches for what this process has recorded since the last time, if anything. */
  write(): Promise<void>
  /** Lets go of the records of old months, with a checkpoint that says so. */
  prune(): Promise<void>
  /** Vouches for records of processes that ended before they could, and whose MACs were found to hold. */
  vouchFor(heads: readonly StreamHead[]): Promise<void>
  /** The newest checkpoint, NUMBER:MAC; null before the first. */
  head(): Promise<string | null>
}

const attempts = 20

/** Signed checkpoints over the streams of all processes, chained among themselves. */
export function createAuditCheckpoints(deps: {
  store: AuditStore
  audit: AuditLog
  key: KeyObject
  log: Log
  clock(): Date
  /** Full months that are kept besides the current one. */
  months: number
}): AuditCheckpoints {
  const { store, audit, key, log } = deps
  let newest: (Omit<Checkpoint, 'mac'> & { mac: Buffer }) | undefined

  return {
    async write() {
      const heads = audit.takeHeads()
      if (heads.length === 0) return
      await insert({ heads }).catch((error) => {
        audit.giveHeadsBack(heads)
        throw error
      })
    },
    async vouchFor(heads) {
      if (heads.length > 0) await insert({ heads: [...heads] })
    },
    async prune() {
      const prunable = await store.findPrunable(deps.months)
      if (!prunable) return
      const { before, lasts } = prunable
      const foreign = lasts.find((last) => !isGenuine(key, last))
      if (foreign) {
        // Signing that it is gone on purpose would cover up for whoever put it there.
        const { stream, number } = foreign.row
        log.error(
          { record: `${stream}:${number}` },
          'the audit log is not pruned: a record is not what a vault wrote',
        )
        return
      }
      const heads = lasts.map(({ row }) => headOf(row))
      // First the word, then the deed: records that are still there do no harm.
      await insert({ heads: [], pruned: { before: before.toISOString(), heads } })
      await store.prune(before)
      log.info({ before: before.toISOString() }, 'removed the audit records of old months')
    },
    async head() {
      const last = await store.findLastCheckpoint()
      return last ? `${last.number}:${Buffer.from(last.mac).toString('hex')}` : null
    },
  }

  /** Chains to the last one, whoever wrote it; of several who do so at once one goes first. */
  async function insert(content: CheckpointContent): Promise<void> {
    await warnOfLoss()
    for (let attempt = 0; attempt < attempts; attempt++) {
      const last = await store.findLastCheckpoint()
      const unsigned = { number: (last?.number ?? 0) + 1, at: deps.clock(), content }
      const checkpoint = { ...unsigned, mac: macOfCheckpoint(key, last?.mac ?? streamStart, unsigned) }
      if (await store.insertCheckpoint(checkpoint)) {
        newest = checkpoint
        return
      }
    }
    throw new Error('Other processes always wrote a checkpoint first')
  }

  /** This process remembers what it wrote: if that is not in the chain any more, the chain was cut. */
  async function warnOfLoss(): Promise<void> {
    if (!newest) return
    const { number, mac } = newest
    const found = await store.findCheckpoint(number)
    if (found && Buffer.from(found.mac).equals(mac)) return
    log.error(
      { number, mac: Buffer.from(mac).toString('hex') },
      'a checkpoint of the audit log that this process wrote is gone: verify the audit log with it as head',
    )
  }
}

function isGenuine(key: KeyObject, { row, before }: { row: AuditRow; before: AuditRow | undefined }): boolean {
  if (!before && row.number !== 1) return false
  return Buffer.from(row.mac).equals(macOfRow(key, before?.mac ?? streamStart, row))
}

export function headOf({ stream, number, mac }: Pick<AuditRow, 'stream' | 'number' | 'mac'>): StreamHead {
  return { stream, number, mac: Buffer.from(mac).toString('hex') }
}
