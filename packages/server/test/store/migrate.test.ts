import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { createCallerStore } from '../../src/adapters/postgres/caller-store.ts'
import { createGrantStore } from '../../src/adapters/postgres/grant-store.ts'
import { migrate, pendingMigrations } from '../../src/adapters/postgres/migrate.ts'
import { migrations } from '../../src/adapters/postgres/migrations/index.ts'
import { seal } from '../../src/core/crypto/envelope.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { type OpenTestDatabase, openTestDatabase } from '../support/stores.ts'
import { temporaryDatabase } from '../support/temporary-database.ts'

describeEachDatabase('migrations', (database) => {
  let opened: OpenTestDatabase
  beforeAll(async () => {
    opened = await openTestDatabase(database)
  })
  afterAll(() => opened.close())

  test('leave nothing behind when one of them fails, and run on the next try', async () => {
    const broken = {
      ...migrations,
      '9998-broken': {
        async up() {
          throw new Error('the process died here')
        },
      },
    }
    await expect(migrate(opened.db, broken)).rejects.toThrow('the process died here')
    const table = await sql<{ found: boolean }>`select to_regclass('connections') is not null as found`.execute(
      opened.db,
    )
    expect(table.rows).toEqual([{ found: false }])

    expect(await pendingMigrations(opened.db)).toEqual(Object.keys(migrations))
    expect(await migrate(opened.db)).toEqual(Object.keys(migrations))
  })

  test('run once', async () => {
    expect(await migrate(opened.db)).toEqual([])
  })

  test('index every reference to what is deleted, and what is about to be', async () => {
    const { rows } = await sql<{ column: string }>`
      select format('%s.%s', conrelid::regclass, attname) as column
      from pg_constraint
      join pg_attribute on attrelid = conrelid and attnum = conkey[1]
      where contype = 'f' and confrelid in ('connections'::regclass, 'grants'::regclass)
        and not exists (select from pg_index where indrelid = conrelid and indkey[0] = conkey[1])`.execute(
      opened.db,
    )
    expect(rows).toEqual([])
    const indexes = await sql<{ indexdef: string }>`
      select indexdef from pg_indexes where tablename = 'connections'`.execute(opened.db)
    expect(indexes.rows.map((row) => row.indexdef).join()).toContain('(deleted_at) WHERE (deleted_at IS NOT NULL)')
  })

  test('of a newer version are refused by name', async () => {
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '')`.execute(opened.db)
    await expect(migrate(opened.db)).rejects.toMatchObject({ code: 'schema_too_new', message: /9999-future/ })
  })
})

describeEachDatabase('the migration to the refresh engine', (database) => {
  let opened: OpenTestDatabase
  beforeAll(async () => {
    opened = await openTestDatabase(database)
  })
  afterAll(() => opened.close())

  test('keeps what there is, makes what can be refreshed due, and gives old failures a class', async () => {
    const { db } = opened
    const { '0001-main-job': mainJob } = migrations
    if (!mainJob) throw new Error('the first migration is missing')
    await migrate(db, { '0001-main-job': mainJob })
    await sql`insert into workspaces (id, name) values (${ids.workspace}, 'default')`.execute(db)
    await sql`insert into callers (id, workspace_id, name, key_hash, permissions, connections) values
      (gen_random_uuid(), ${ids.workspace}, 'admin', 'a', '{token:read,workspace:admin}', '{*}'),
      (gen_random_uuid(), ${ids.workspace}, 'ci', 'b', '{token:read}', '{*}')`.execute(db)
    await sql`insert into connections (id, workspace_id, name, provider_url, client_id, client_secret,
      token_endpoint_auth_method, endpoints, iss_parameter_supported, authorization_parameters)
      values (${ids.connection}, ${ids.workspace}, 'c', 'https://p.example', 'id', 's', 'client_secret_basic', '{}', false, '{}')`.execute(
      db,
    )
    await sql`insert into grants (id, workspace_id, connection_id, subject, status, access_token, refresh_token,
      expires_at, lifetime, generation, last_error) values
      (gen_random_uuid(), ${ids.workspace}, ${ids.connection}, 'refreshable', 'active', 'a', 'r',
        '2026-01-01 01:00Z', 3600, 7, '{"code": "provider_unavailable", "detail": "d", "at": "2026-01-01T00:00:00Z"}'),
      (gen_random_uuid(), ${ids.workspace}, ${ids.connection}, 'endless', 'active', 'a', 'r', null, null, 1, null),
      (gen_random_uuid(), ${ids.workspace}, ${ids.connection}, 'unrefreshable', 'active', 'a', null,
        '2026-01-01 01:00Z', 3600, 1, null),
      (gen_random_uuid(), ${ids.workspace}, ${ids.connection}, 'gone', 'revoked', null, null, null, null, 2, null)`.execute(
      db,
    )
    await migrate(db)

    const grants = createGrantStore(db)
    const { grants: found, now } = await grants.list(ids.connection, null, { limit: 9, after: undefined })
    const bySubject = new Map(found.map((grant) => [grant.subject, grant]))
    expect(bySubject.get('refreshable')).toMatchObject({
      status: 'active',
      generation: 7,
      blocked: false,
      refreshDueAt: new Date('2026-01-01T00:55:00Z'),
      lastError: { code: 'provider_unavailable', class: 'passing', detail: 'd' },
    })
    const inAWeek = (bySubject.get('endless')?.refreshDueAt?.getTime() ?? 0) - now.getTime()
    expect(inAWeek).toBeGreaterThan(0)
    expect(inAWeek).toBeLessThanOrEqual(604_800_000)
    expect(bySubject.get('unrefreshable')?.refreshDueAt).toEqual(new Date('2026-01-01T01:00:00Z'))
    expect(bySubject.get('gone')?.refreshDueAt).toBeNull()
    const callers = await sql<{ permissions: string[] }>`select permissions from callers order by name`.execute(db)
    expect(callers.rows.map(({ permissions }) => permissions.includes('metrics:read'))).toEqual([true, false])
  })
})

describeEachDatabase('the migration to callers with several keys', (database) => {
  let opened: OpenTestDatabase
  beforeAll(async () => {
    opened = await openTestDatabase(database)
  })
  afterAll(() => opened.close())

  test('keeps the keys there are, and lets administrators read the audit log', async () => {
    const { db } = opened
    await migrate(db, migrationsBefore('0003-callers-and-audit'))
    await sql`insert into workspaces (id, name) values (${ids.workspace}, 'default')`.execute(db)
    const keys = { admin: randomBytes(32), ci: randomBytes(32) }
    await sql`insert into callers (id, workspace_id, name, key_hash, permissions, connections) values
      (gen_random_uuid(), ${ids.workspace}, 'admin', ${keys.admin}, '{token:read,workspace:admin}', '{*}'),
      (gen_random_uuid(), ${ids.workspace}, 'ci', ${keys.ci}, '{token:read}', '{*}')`.execute(db)
    expect(await migrate(db)).toContain('0003-callers-and-audit')

    const callers = createCallerStore(db)
    const admin = await callers.findLive(keys.admin, '192.0.2.1')
    expect(admin).toMatchObject({ atHome: true, caller: { name: 'admin', addresses: null, lastUsedAt: null } })
    expect(admin?.caller.permissions).toEqual(['token:read', 'workspace:admin', 'audit:read'])
    expect(await callers.findLive(keys.ci, null)).toMatchObject({
      caller: { name: 'ci', permissions: ['token:read'], formerKeyUntil: null },
    })
  })
})

describeEachDatabase('the migration to keys that rotate, of a vault with a damaged value,', (database) => {
  let opened: OpenTestDatabase
  beforeAll(async () => {
    opened = await openTestDatabase(database)
  })
  afterAll(() => opened.close())

  test('says where it is and what to do, changes nothing, and goes on when that is done', async () => {
    const { db } = opened
    await migrate(db, migrationsBefore('0004-key-rotation'))
    const [known, unknown, grant] = [randomUUID(), randomUUID(), randomUUID()]
    const sealedBy = (id: string) => seal(examplePlace, { id, bytes: randomBytes(32) }, Buffer.from('secret'))
    await sql`insert into workspaces (id, name) values (${ids.workspace}, 'default')`.execute(db)
    await sql`insert into data_keys (id, workspace_id, version, kek_id, wrapped) values
      (${known}, ${ids.workspace}, 1, 'kek', '')`.execute(db)
    await sql`insert into connections (id, workspace_id, name, provider_url, client_id, client_secret,
      token_endpoint_auth_method, endpoints, iss_parameter_supported, authorization_parameters)
      values (${ids.connection}, ${ids.workspace}, 'c', 'https://p.example', 'id', ${sealedBy(known)},
        'client_secret_basic', '{}', false, '{}')`.execute(db)
    await sql`insert into grants (id, workspace_id, connection_id, subject, status, access_token, refresh_token)
      values (${grant}, ${ids.workspace}, ${ids.connection}, '', 'active', ${sealedBy(known)},
        ${sealedBy(unknown)})`.execute(db)
    const refused = expect(migrate(db)).rejects
    await refused.toMatchObject({
      code: 'sealed_value_damaged',
      message: expect.stringMatching(`: grants.refresh_token of the row with the id ${grant}\\. Restore`),
    })
    expect(await pendingMigrations(db)).toContain('0004-key-rotation')
    await sql`update grants set refresh_token = null where id = ${grant}`.execute(db)
    expect(await migrate(db)).toContain('0004-key-rotation')
  })
})

describeEachDatabase('the migration to keys that rotate', (database) => {
  let opened: OpenTestDatabase
  beforeAll(async () => {
    opened = await openTestDatabase(database)
  })
  afterAll(() => opened.close())

  test('knows of each value there is with which data key it was sealed, and counts from half of its uses', async () => {
    const { db } = opened
    await migrate(db, migrationsBefore('0004-key-rotation'))
    const keys = [randomUUID(), randomUUID()]
    const sealedBy = (key = '') => seal(examplePlace, { id: key, bytes: randomBytes(32) }, Buffer.from('secret'))
    await sql`insert into workspaces (id, name) values (${ids.workspace}, 'default')`.execute(db)
    await sql`insert into data_keys (id, workspace_id, version, kek_id, wrapped) values
      (${keys[0]}, ${ids.workspace}, 1, 'kek', ''), (${keys[1]}, ${ids.workspace}, 2, 'kek', '')`.execute(db)
    await sql`insert into connections (id, workspace_id, name, provider_url, client_id, client_secret,
      token_endpoint_auth_method, endpoints, iss_parameter_supported, authorization_parameters)
      values (${ids.connection}, ${ids.workspace}, 'c', 'https://p.example', 'id', ${sealedBy(keys[0])},
        'client_secret_basic', '{}', false, '{}')`.execute(db)
    await sql`insert into grants (id, workspace_id, connection_id, subject, status, access_token, refresh_token)
      values (gen_random_uuid(), ${ids.workspace}, ${ids.connection}, '', 'active', ${sealedBy(keys[1])},
        ${sealedBy(keys[0])}), (gen_random_uuid(), ${ids.workspace}, ${ids.connection}, 'p', 'pending', null, null)`.execute(
      db,
    )
    expect(await migrate(db)).toEqual(Object.keys(migrations).filter((name) => name >= '0004'))

    const { rows } = await sql`select client_secret_data_key, former_client_secret_data_key, access_token_data_key,
      refresh_token_data_key from connections join grants on grants.connection_id = connections.id
      order by subject`.execute(db)
    const ofConnection = { client_secret_data_key: keys[0], former_client_secret_data_key: null }
    expect(rows).toEqual([
      { ...ofConnection, access_token_data_key: keys[1], refresh_token_data_key: keys[0] },
      { ...ofConnection, access_token_data_key: null, refresh_token_data_key: null },
    ])
    const counted = await sql<{ uses: string }>`select uses from data_keys`.execute(db)
    expect(counted.rows.map(({ uses }) => Number(uses))).toEqual([2 ** 29, 2 ** 29])
  })
})

function migrationsBefore(name: string): typeof migrations {
  return Object.fromEntries(Object.entries(migrations).filter(([each]) => each < name))
}

const examplePlace = { workspace: 'w', table: 't', column: 'c', row: 'r' }

const ids = {
  workspace: '5b1f1f0e-9d3c-4a2e-8c1f-0d9f6b3a7e11',
  connection: '0c7a3f52-6f0b-4d1c-9b5e-2f8a1d4c6e22',
}

describe('replicas that start at once on an empty PostgreSQL', () => {
  const database = temporaryDatabase(inject('postgresUrl'))
  beforeAll(database.create)
  afterAll(database.drop)

  test('migrate it once between them, without a session-level lock', async () => {
    const replicas = await Promise.all(
      Array.from({ length: 6 }, () => openTestDatabase({ kind: 'postgres', url: database.url })),
    )
    const ran = await Promise.all(replicas.map(({ db }) => migrate(db)))
    expect(ran.filter((names) => names.length > 0)).toEqual([Object.keys(migrations)])
    const first = replicas[0]
    const locks = first && (await sql`select 1 from pg_locks where locktype = 'advisory'`.execute(first.db))
    expect(locks?.rows).toEqual([])
    await Promise.all(replicas.map((replica) => replica.close()))
  })
})

describe('the migration of a PostgreSQL that vaults are using', () => {
  const database = temporaryDatabase(inject('postgresUrl'))
  let opened: OpenTestDatabase
  beforeAll(async () => {
    await database.create()
    opened = await openTestDatabase({ kind: 'postgres', url: database.url })
    await migrate(opened.db, migrationsBefore('0007-trusts'))
  })
  afterAll(async () => {
    await opened.close()
    await database.drop()
  })

  test('does not have them wait behind a backup: it lets go of its locks, says whose it waits for, and tries again', async () => {
    const { db } = opened
    const waits: string[] = []
    const backup = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const reading = db.transaction().execute(async (trx) => {
      await sql`set local application_name = 'pg_dump'`.execute(trx)
      await sql`lock table audit_log in access share mode`.execute(trx)
      begun.resolve()
      await backup.promise
    })
    await begun.promise
    const locks = { patience: 60_000, onWait: (holders: string) => void waits.push(holders) }
    await expect(migrate(db, migrations, { ...locks, patience: 0 })).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringMatching(/process \d+ pg_dump/),
    })
    expect(await pendingMigrations(db)).toContain('0007-trusts')

    const migrating = migrate(db, migrations, locks)
    await expect.poll(() => waits, { timeout: 10_000 }).toEqual([expect.stringMatching(/process \d+ pg_dump/)])
    // Between two attempts it holds none.
    const asked = performance.now()
    await sql`select from callers`.execute(db)
    expect(performance.now() - asked).toBeLessThan(1000)
    backup.resolve()
    await reading
    expect(await migrating).toContain('0007-trusts')
  })
})
