import type { AuditOutcome } from '@authconn/shared'
import type { ErrorCode } from '@authconn/shared/errors'
import type { Caller, Page } from './ports.ts'

/** One decision, as it is recorded. Never holds a secret, nor anything that somebody sent in the place of one. */
export interface AuditFacts {
  /** null where the key was none. */
  actor: Pick<Caller, 'id' | 'workspaceId' | 'name'> | null
  /** Name of the operation in the contract. */
  action: string
  connection: string | null
  /** What else it is about: the id or name of a caller, a workspace, or an authorization. */
  target: string | null
  /** Empty or null for the application itself, and where there is none. */
  subject: string | null
  outcome: AuditOutcome
  reason: ErrorCode | null
  address: string | null
  requestId: string
  /** Of nobody's request the workspace that it is about, which should see it. */
  workspaceId?: string | null
  /** Facts that have no place of their own. */
  detail?: Readonly<Record<string, string>> | null
}

/** A record in its place: each process writes streams of its own, numbered from 1 and chained by their MACs. */
export interface AuditRow extends Omit<AuditFacts, 'actor' | 'reason' | 'detail'> {
  stream: string
  number: number
  at: Date
  workspaceId: string | null
  actor: string | null
  actorName: string | null
  reason: string | null
  /** JSON, to the letter as its MAC covers it. */
  detail: string | null
  mac: Uint8Array
}

/** The last record of a stream that a checkpoint vouches for. */
export interface StreamHead {
  stream: string
  number: number
  /** Hex. */
  mac: string
}

export interface CheckpointContent {
  /** Of the streams that went on since the checkpoint before. */
  heads: StreamHead[]
  /** Records before that moment (ISO 8601) are gone on purpose; with the last one that is gone of streams that went on. */
  pruned?: { before: string; heads: StreamHead[] }
}

export interface Checkpoint {
  number: number
  at: Date
  content: CheckpointContent
  mac: Uint8Array
}

export interface AuditQuery extends Page {
  since: Date | undefined
  until: Date | undefined
  connection: string | undefined
  caller: string | undefined
  outcome: AuditOutcome | undefined
}

export interface AuditStore {
  /** Records of one stream that follow each other: all or none, durably, in one statement. */
  append(rows: readonly AuditRow[]): Promise<void>
  /**
   * Newest first. `visible`: the actor itself, or the connection and subject patterns of what it may see; what is about no
   * connection is for those who may see all.
   */
  list(
    workspaceId: string,
    query: AuditQuery,
    visible: { actor: string; connections: readonly string[]; subjects: readonly string[] | null },
  ): Promise<AuditRow[]>
  /** All records in the order of their streams and numbers, some thousands at a time. */
  readAll(): AsyncIterable<readonly AuditRow[]>
  /** All checkpoints in order. */
  readCheckpoints(): AsyncIterable<readonly Checkpoint[]>
  findLastCheckpoint(): Promise<Checkpoint | undefined>
  findCheckpoint(number: number): Promise<Checkpoint | undefined>
  /** False when there is one of that number already. */
  insertCheckpoint(checkpoint: Checkpoint): Promise<boolean>
  /** Makes sure that there are partitions for this month and the next two. */
  preparePartitions(): Promise<void>
  /**
   * The oldest month that is kept whole, when there is something before it: the last record of each stream that would be
   * gone, with the one before it.
   */
  findPrunable(
    months: number,
  ): Promise<{ before: Date; lasts: { row: AuditRow; before: AuditRow | undefined }[] } | undefined>
  /** Drops the partitions before that month. */
  prune(before: Date): Promise<void>
}
