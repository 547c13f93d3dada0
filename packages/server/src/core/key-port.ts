import type { SealedColumn } from './crypto/places.ts'
import type { DataKey } from './ports.ts'

/*
 * What core needs from storage to rotate keys. Nothing is remembered of how far a rotation has come: what is left to do is
 * read from what is there, so that it can be stopped anywhere, and done by several at once.
 */

/** A data key, or the key of the audit log, as it lies in the database. */
export interface WrappedKey extends DataKey {
  kind: 'data' | 'audit'
}

export interface KeyCounts {
  /** By the key-encryption key that wrapped them. */
  wrapped: { kekId: string; dataKeys: number; auditKeys: number }[]
  workspaces: number
  /** Data keys that a newer one of their workspace has followed, and those of them that nothing is sealed with. */
  former: number
  unused: number
  /** When the oldest of the newest was made; null where there is none. */
  oldestNewest: Date | null
  /** The most uses that any of the newest has been given. */
  mostUses: number
}

export interface KeyStore {
  /** By kind and id. */
  listWrapped(page: { notBy?: string; after: WrappedKey | undefined; limit: number }): Promise<WrappedKey[]>
  /** Compare-and-set on the wrapped bytes; false when somebody else was there. */
  rewrap(key: WrappedKey, again: { kekId: string; wrapped: Uint8Array }): Promise<boolean>
  /** The newest data key of each workspace, or of the one of that name, by workspace; with how many seconds ago it was made. */
  listNewest(page: {
    workspace: string | undefined
    after: string | undefined
    limit: number
  }): Promise<{ dataKey: DataKey; age: number }[]>
  /** False when the workspace has a data key of that version already. */
  insert(dataKey: DataKey): Promise<boolean>
  /**
   * Lets go of the former data keys that nothing has been sealed with for so many seconds. Of a workspace with values of an
   * unknown format none goes, as one of them may be what could still open those. Resolves to how many went, and how many
   * wait for their time.
   */
  dropUnused(seconds: number): Promise<{ dropped: number; waiting: number }>
  count(): Promise<KeyCounts>
  /** Keys that another key-encryption key has wrapped. */
  countWrapped(notBy: string): Promise<number>
}

/** A sealed value where it lies. */
export interface SealedValue {
  row: string
  workspaceId: string
  sealed: Uint8Array
}

export interface ValueCounts {
  /** Sealed with the newest data key of their workspace, with a former one, or with none that can be told. */
  newest: number
  former: number
  unknown: number
}

export interface SealedStore {
  /** Former data keys that values of this column are sealed with, and how many seconds ago the newest was made. */
  listFormerKeys(column: SealedColumn): Promise<{ dataKey: DataKey; formerFor: number }[]>
  /** Values that are sealed with that data key, by row: after one, and up to one where that is given. */
  listSealedWith(
    column: SealedColumn,
    dataKeyId: string,
    page: { after: string; upTo: string | undefined; limit: number },
  ): Promise<SealedValue[]>
  /** All values of the column, by row. */
  list(column: SealedColumn, page: { after: string; limit: number }): Promise<SealedValue[]>
  find(column: SealedColumn, row: string): Promise<SealedValue | undefined>
  /**
   * Compare-and-set on the bytes of each value, and nothing else of its row. Rows that somebody is writing are left to
   * them. Resolves to how many were changed.
   */
  replace(
    column: SealedColumn,
    changes: readonly { row: string; from: Uint8Array; to: Uint8Array }[],
  ): Promise<number>
  count(column: SealedColumn): Promise<ValueCounts>
  /** Values in all columns that are not sealed with the newest data key of their workspace. */
  countFormer(): Promise<number>
}
