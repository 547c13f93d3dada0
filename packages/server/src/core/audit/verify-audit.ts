import { type KeyObject, timingSafeEqual } from 'node:crypto'
import type { AuditReport } from '@authconn/shared'
import type { AuditRow, AuditStore, Checkpoint, StreamHead } from '../audit-port.ts'
import { macOfCheckpoint, macOfRow, streamStart } from './audit-mac.ts'
import { headOf } from './checkpoint-audit.ts'

/** What is wrong, and in which workspace, as far as a record says. */
export type AuditProblem = AuditReport['problems'][number] & { workspaceId: string | null }

export interface AuditVerdict {
  intact: boolean
  checkpoints: number
  problems: AuditProblem[]
  /** Records that were verified, by workspace; those without one under an empty id. */
  records: Map<string, number>
  /** Ends of streams that hold beyond what is vouched for: their process is still at it, or died before it could. */
  unvouched: StreamHead[]
}

const mostProblems = 100

/**
 * Goes through all records and checkpoints and compares them with their MACs. `knownHead`: a checkpoint as NUMBER:MAC that
 * somebody kept elsewhere, which must still be in the chain.
 */
export async function verifyAudit(
  store: Pick<AuditStore, 'readAll' | 'readCheckpoints'>,
  key: KeyObject,
  knownHead: string | undefined,
): Promise<AuditVerdict> {
  const problems: AuditProblem[] = []
  const report: Report = (kind, record, detail, workspaceId = null) => {
    if (problems.length < mostProblems) problems.push({ kind, record, detail, workspaceId })
  }
  const chain = await verifyCheckpoints(store, key, knownHead, report)
  const { records, unvouched } = await verifyRecords(store, key, chain, report)
  return { intact: problems.length === 0, records, checkpoints: chain.count, problems, unvouched }
}

type Report = (
  kind: AuditProblem['kind'],
  record: string | null,
  detail: string,
  workspaceId?: string | null,
) => void

/** What the checkpoints vouch for. */
interface Vouched {
  count: number
  /** By stream: how far it must reach, with which MAC there. */
  heads: Map<string, StreamHead>
  /** By stream: where it goes on after what was removed on purpose. */
  pruned: Map<string, StreamHead>
}

async function verifyCheckpoints(
  store: Pick<AuditStore, 'readCheckpoints'>,
  key: KeyObject,
  knownHead: string | undefined,
  report: Report,
): Promise<Vouched> {
  const vouched: Vouched = { count: 0, heads: new Map(), pruned: new Map() }
  const [knownNumber, knownMac] = knownHead?.split(':') ?? []
  let foundKnown = knownHead === undefined
  let before: Pick<Checkpoint, 'number' | 'mac'> = { number: 0, mac: streamStart }
  for await (const page of store.readCheckpoints()) {
    for (const checkpoint of page) {
      const { number, mac, content } = checkpoint
      if (number !== before.number + 1) {
        report('checkpoint_missing', String(before.number + 1), `Checkpoint ${before.number + 1} is not there`)
      } else if (!same(mac, macOfCheckpoint(key, before.mac, checkpoint))) {
        report('checkpoint_changed', String(number), `Checkpoint ${number} is not as it was signed`)
      }
      if (String(number) === knownNumber) foundKnown = Buffer.from(mac).toString('hex') === knownMac
      for (const head of content.heads) keepFurthest(vouched.heads, head)
      for (const head of content.pruned?.heads ?? []) keepFurthest(vouched.pruned, head)
      vouched.count++
      before = checkpoint
    }
  }
  if (!foundKnown)
    report('checkpoint_missing', knownNumber ?? null, 'The checkpoint that was given is not in the chain')
  return vouched
}

/** They come by stream and number, and so each stream as a whole. */
async function verifyRecords(
  store: Pick<AuditStore, 'readAll'>,
  key: KeyObject,
  vouched: Vouched,
  report: Report,
): Promise<Pick<AuditVerdict, 'records' | 'unvouched'>> {
  const records = new Map<string, number>()
  const unvouched: StreamHead[] = []
  let stream: Stream | undefined
  const missing = new Map(vouched.heads)
  const finish = (ended: Stream | undefined) => {
    if (!ended) return
    const head = missing.get(ended.id)
    missing.delete(ended.id)
    checkTail(ended, head, report)
    if (ended.holds && ended.number > (head?.number ?? 0)) unvouched.push(headOf({ ...ended, stream: ended.id }))
  }
  for await (const page of store.readAll()) {
    for (const row of page) {
      if (row.stream !== stream?.id) {
        finish(stream)
        stream = startOf(row, vouched, report)
      }
      if (!verifyRow(row, stream, key, report)) stream.holds = false
      stream.number = row.number
      stream.mac = row.mac
      records.set(row.workspaceId ?? '', (records.get(row.workspaceId ?? '') ?? 0) + 1)
    }
  }
  finish(stream)
  for (const head of missing.values()) {
    // What was removed on purpose may be all there was of a stream.
    if ((vouched.pruned.get(head.stream)?.number ?? 0) >= head.number) continue
    report('tail_missing', `${head.stream}:1`, `All ${head.number} records of a stream are gone`)
  }
  return { records, unvouched }
}

interface Stream {
  id: string
  number: number
  mac: Uint8Array
  /** All of it so far is as it was written. */
  holds: boolean
}

function startOf(row: AuditRow, { pruned }: Vouched, report: Report): Stream {
  const head = pruned.get(row.stream)
  if (head && row.number === head.number + 1) {
    return { id: row.stream, number: head.number, mac: Buffer.from(head.mac, 'hex'), holds: true }
  }
  if (row.number === 1) return { id: row.stream, number: 0, mac: streamStart, holds: true }
  report('missing', `${row.stream}:1`, `The records before ${nameOf(row)} are gone`, row.workspaceId)
  return { id: row.stream, number: row.number - 1, mac: row.mac, holds: false }
}

/** Whether a record is as it was written, and follows on the one before. */
function verifyRow(
  row: AuditRow,
  before: { number: number; mac: Uint8Array },
  key: KeyObject,
  report: Report,
): boolean {
  const { workspaceId } = row
  if (row.number === before.number) {
    report('unknown', nameOf(row), `There are several records numbered ${nameOf(row)}`, workspaceId)
  } else if (row.number !== before.number + 1) {
    const from = `${row.stream}:${before.number + 1}`
    report('missing', from, `Records are gone before ${nameOf(row)}`, workspaceId)
  } else if (!same(row.mac, macOfRow(key, before.mac, row))) {
    report('changed', nameOf(row), `Record ${nameOf(row)} is not what a vault wrote there`, workspaceId)
  } else return true
  return false
}

function checkTail(stream: Stream, head: StreamHead | undefined, report: Report) {
  if (head && stream.number < head.number) {
    const gone = head.number - stream.number
    report('tail_missing', `${stream.id}:${stream.number + 1}`, `The last ${gone} records of a stream are gone`)
  }
}

function keepFurthest(heads: Map<string, StreamHead>, head: StreamHead): void {
  if ((heads.get(head.stream)?.number ?? 0) < head.number) heads.set(head.stream, head)
}

function nameOf(row: AuditRow): string {
  return `${row.stream}:${row.number}`
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
