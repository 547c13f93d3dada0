import { type KeyObject, randomUUID } from 'node:crypto'
import type { AuditFacts, AuditRow, AuditStore, StreamHead } from '../audit-port.ts'
import { AuthconnError } from '../errors.ts'
import { whatIsThere } from '../grants/gather.ts'
import { macOfRow, streamStart } from './audit-mac.ts'

export interface AuditLog {
  /**
   * Resolves when all of it is durable. Throws audit_unavailable when it is not, overloaded when too much waits; then
   * nothing may be answered.
   */
  record(facts: readonly AuditFacts[]): Promise<void>
  /** The streams of this process that have gone on since they were last asked for. */
  takeHeads(): StreamHead[]
  /** Of heads that were taken and did not get into a checkpoint. */
  giveHeadsBack(heads: readonly StreamHead[]): void
}

/** Streams of a process: as many appends can be under way at a time. */
const streams = 2
/** Records in one append. */
const mostAtOnce = 500
/** Requests that wait for theirs. */
const mostWaiting = 10_000

interface Waiting {
  facts: readonly AuditFacts[]
  at: Date
  resolve(): void
  reject(error: unknown): void
}

/**
 * Records decisions. What comes while an append is under way goes into the next, all in one statement (group commit); a
 * lone record waits for nobody. Within a stream appends follow each other, since each record is chained to the one before.
 */
export function createAuditLog(deps: {
  store: Pick<AuditStore, 'append'>
  key: KeyObject
  clock(): Date
}): AuditLog {
  const { store, key } = deps
  const heads = new Map<string, StreamHead>()
  let waiting: Waiting[] = []
  const idle = Array.from({ length: streams }, newStream)

  return {
    record(facts) {
      return new Promise<void>((resolve, reject) => {
        if (waiting.length >= mostWaiting) throw new AuthconnError('overloaded', undefined, { retryAfter: 2 })
        waiting.push({ facts, at: deps.clock(), resolve, reject })
        const stream = idle.pop()
        if (stream) void appendAll(stream)
      })
    },
    takeHeads() {
      const taken = [...heads.values()]
      heads.clear()
      return taken
    },
    giveHeadsBack(taken) {
      for (const head of taken) {
        if ((heads.get(head.stream)?.number ?? 0) < head.number) heads.set(head.stream, head)
      }
    },
  }

  async function appendAll(stream: Stream): Promise<void> {
    let current = stream
    for (;;) {
      // The answers of a batch come one by one, and their records in one append.
      await whatIsThere()
      if (waiting.length === 0) break
      current = await appendNext(current)
    }
    idle.push(current)
  }

  async function appendNext(stream: Stream): Promise<Stream> {
    const batch = takeBatch()
    const next = { ...stream }
    try {
      await store.append(batch.flatMap(({ facts, at }) => facts.map((each) => chain(next, each, at))))
    } catch (cause) {
      const error = new AuthconnError('audit_unavailable', undefined, { cause, retryAfter: 2 })
      // Those behind it would only wait to fail as well, and for whom by then?
      const all = [...batch, ...waiting]
      waiting = []
      for (const { reject } of all) reject(error)
      // Whether the rows are there or not is unknown: nothing more is chained to them.
      return newStream()
    }
    heads.set(next.id, { stream: next.id, number: next.number, mac: Buffer.from(next.mac).toString('hex') })
    for (const { resolve } of batch) resolve()
    return next
  }

  function takeBatch(): Waiting[] {
    let count = 0
    let end = 0
    while (end < waiting.length && (end === 0 || count < mostAtOnce)) count += waiting[end++]?.facts.length ?? 0
    const batch = waiting.slice(0, end)
    waiting = waiting.slice(end)
    return batch
  }

  function chain(stream: Stream, facts: AuditFacts, at: Date): AuditRow {
    const { actor, workspaceId, detail } = facts
    const row = {
      stream: stream.id,
      number: ++stream.number,
      at,
      workspaceId: actor?.workspaceId ?? workspaceId ?? null,
      actor: actor?.id ?? null,
      actorName: actor?.name ?? null,
      action: facts.action,
      connection: facts.connection,
      target: facts.target,
      subject: facts.subject,
      outcome: facts.outcome,
      reason: facts.reason,
      address: facts.address,
      requestId: facts.requestId,
      detail: detail ? JSON.stringify(detail) : null,
      mac: stream.mac,
    }
    row.mac = stream.mac = macOfRow(key, stream.mac, row)
    return row
  }
}

interface Stream {
  id: string
  number: number
  mac: Uint8Array
}

function newStream(): Stream {
  return { id: randomUUID(), number: 0, mac: streamStart }
}
