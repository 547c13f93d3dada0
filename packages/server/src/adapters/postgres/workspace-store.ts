import type { Selectable } from 'kysely'
import type { NewWorkspaceRow, Workspace, WorkspaceStore } from '../../core/workspace-port.ts'
import { createCallerStore } from './caller-store.ts'
import { dataKeyColumns } from './data-key-store.ts'
import type { Database, Tables } from './database.ts'

export function createWorkspaceStore(db: Database): WorkspaceStore {
  return {
    insert: (row) => db.transaction().execute((trx) => insertWorkspace(trx, row)),
    async find(id) {
      const row = await db.selectFrom('workspaces').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toWorkspace(row)
    },
    async list(page) {
      const rows = await db
        .selectFrom('workspaces')
        .selectAll()
        .where('name', '>', page.after ?? '')
        .orderBy('name')
        .limit(page.limit)
        .execute()
      return rows.map(toWorkspace)
    },
  }
}

/** For a transaction: several statements that are nothing without each other. undefined when the name is taken. */
export async function insertWorkspace(trx: Database, { dataKey, ...given }: NewWorkspaceRow) {
  const row = await trx
    .insertInto('workspaces')
    .values({ id: given.id, name: given.name })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!row) return undefined
  await trx.insertInto('data_keys').values(dataKeyColumns(dataKey)).execute()
  const firstCaller = await createCallerStore(trx).insert(given.firstCaller, given.firstKeyHash)
  if (!firstCaller) throw new Error('A workspace that was made a moment ago has a caller already')
  return { workspace: toWorkspace(row), firstCaller }
}

export async function findWorkspace(db: Database, name: string): Promise<{ id: string } | undefined> {
  return db.selectFrom('workspaces').select('id').where('name', '=', name).executeTakeFirst()
}

function toWorkspace(row: Selectable<Tables['workspaces']>): Workspace {
  return { id: row.id, name: row.name, createdAt: row.created_at }
}
