import { randomUUID } from 'node:crypto'
import type { Database } from '../../packages/server/src/adapters/postgres/database.ts'
import {
  createDataKey,
  createKeks,
  type createLocalKek,
} from '../../packages/server/src/core/crypto/key-encryption-key.ts'
import { runSql } from '../../packages/server/test/support/run-sql.ts'
import type { WrittenGrant } from './concurrent-writer.ts'

export type PickedGrant = WrittenGrant & { connection: string }

export function pathOf({ connection, subject }: PickedGrant): string {
  return `/v1/connections/${connection}/token?subject=${subject}`
}

export function pickGrants(db: Database, count: number): Promise<PickedGrant[]> {
  return runSql<PickedGrant>(
    db,
    `select grants.id, grants.workspace_id as "workspaceId", subject, connections.name as connection
    from grants join connections on connections.id = connection_id order by md5(grants.id::text) limit $1`,
    [count],
  )
}

export async function addWorkspaces(
  db: Database,
  kek: ReturnType<typeof createLocalKek>,
  count: number,
): Promise<void> {
  const ids = Array.from({ length: count }, () => randomUUID())
  const keys = await Promise.all(ids.map((id) => createDataKey(createKeks(kek), id, 1)))
  await runSql(
    db,
    `insert into workspaces (id, name) select id, 'workspace-' || id from unnest($1::uuid[]) as id`,
    [ids],
  )
  // Made long ago, like the first.
  await runSql(
    db,
    `insert into data_keys (id, workspace_id, version, kek_id, wrapped)
    select id, workspace_id, 1, $1, wrapped from unnest($2::uuid[], $3::uuid[], $4::bytea[])
      as new (id, workspace_id, wrapped)`,
    [kek.id, keys.map(({ id }) => id), ids, keys.map(({ wrapped }) => wrapped)],
  )
  await runSql(db, `update data_keys set created_at = created_at - interval '1 day'`)
}

export async function countKeysOf(db: Database, notBy: string): Promise<number> {
  const [row] = await runSql<{ count: number }>(
    db,
    'select count(*)::integer as count from data_keys where kek_id <> $1',
    [notBy],
  )
  return row?.count ?? 0
}

/** Workspaces without a new data key. */
export async function countWithoutNewKey(db: Database): Promise<number> {
  const [row] = await runSql<{ count: number }>(
    db,
    `select (count(distinct workspace_id) - count(distinct workspace_id) filter (where version > 1))::integer as count
    from data_keys`,
  )
  return row?.count ?? 0
}

export async function countFormer(db: Database): Promise<number> {
  const [row] = await runSql<{ count: number }>(
    db,
    `select count(*)::integer as count from grants join data_keys on data_keys.id = refresh_token_data_key
    where version = 1`,
  )
  return row?.count ?? 0
}
