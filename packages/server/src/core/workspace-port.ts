import type { Caller, DataKey, NewCallerRow, Page } from './ports.ts'

export interface Workspace {
  id: string
  name: string
  createdAt: Date
}

/** A workspace before it is stored: it is of no use without a data key and somebody who may enter. */
export interface NewWorkspaceRow {
  id: string
  name: string
  dataKey: DataKey
  firstCaller: NewCallerRow
  firstKeyHash: Uint8Array
}

export interface WorkspaceStore {
  /** All of it or nothing; undefined when the name is taken. */
  insert(workspace: NewWorkspaceRow): Promise<{ workspace: Workspace; firstCaller: Caller } | undefined>
  find(id: string): Promise<Workspace | undefined>
  /** By name. */
  list(page: Page): Promise<Workspace[]>
}
