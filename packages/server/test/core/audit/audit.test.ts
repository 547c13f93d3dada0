import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { createAuditStore } from '../../../src/adapters/postgres/audit-store.ts'
import { type AuditLog, createAuditLog } from '../../../src/core/audit/audit-log.ts'
import { type AuditCheckpoints, createAuditCheckpoints } from '../../../src/core/audit/checkpoint-audit.ts'
import { limitAnonymous } from '../../../src/core/audit/limit-anonymous.ts'
import { createReadAudit } from '../../../src/core/audit/read-audit.ts'
import type { AuditFacts, AuditStore } from '../../../src/core/audit-port.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { silentLog, useStores } from '../../support/stores.ts'

describeEachDatabase('the audit log', (database) => {
  const stores = useStores(database)
  let key: KeyObject
  let store: AuditStore
  let audit: AuditLog
  let checkpoints: AuditCheckpoints
  const process = (given: Partial<AuditStore> = {}) => {
    const log = createAuditLog({ store: { ...store, ...given }, key, clock: () => new Date() })
    const deps = { store, audit: log, key, log: silentLog, clock: () => new Date(), months: 12 }
    return { audit: log, checkpoints: createAuditCheckpoints(deps) }
  }
  beforeEach(async () => {
    key = createSecretKey(randomBytes(32))
    store = createAuditStore(stores.db)
    await store.preparePartitions()
    await execute(sql`truncate audit_log`)
    await execute(sql`truncate audit_checkpoints`)
    ;({ audit, checkpoints } = process())
  })

  const execute = (statement: RawBuilder<unknown>) => statement.execute(stores.db)
  const verify = (head?: string) => createReadAudit({ store, checkpoints, key }).verify(stores.admin, head)
  const facts = (given: Partial<AuditFacts> = {}): AuditFacts => ({
    actor: stores.admin,
    action: 'getToken',
    connection: 'google-oauth',
    target: null,
    subject: '',
    outcome: 'allowed',
    reason: null,
    address: '127.0.0.1',
    requestId: 'request-1',
    ...given,
  })
  /** Records together, and so in one stream. */
  const record = (count: number, log = audit) =>
    log.record(
      Array.from({ length: count }, (_, index) =>
        facts({ requestId: `request-${index + 1}`, detail: index % 2 === 0 ? null : { sub: 'somebody' } }),
      ),
    )

  test('verifies what was recorded, at once and one after the other, by one process and by several', async () => {
    await record(5)
    const other = process()
    await Promise.all(
      [audit, other.audit].flatMap((log) => Array.from({ length: 50 }, () => log.record([facts(), facts()]))),
    )
    await other.checkpoints.write()
    const report = await verify()
    expect(report).toMatchObject({ intact: true, records: 205, problems: [] })
    expect(report.head).toMatch(/^\d+:[0-9a-f]{64}$/)
    expect((await verify(report.head ?? '')).intact).toBe(true)
  })

  test('appends in few statements what comes at once, and a lone record in one of its own', async () => {
    const appended: number[] = []
    const { audit: log } = process({
      async append(rows) {
        appended.push(rows.length)
        await store.append(rows)
      },
    })
    await Promise.all(Array.from({ length: 300 }, () => log.record([facts()])))
    expect(appended.length).toBeLessThanOrEqual(4)
    await log.record([facts()])
    expect(appended.at(-1)).toBe(1)
  })

  test('says audit_unavailable when a record is not durable, and goes on when the database does', async () => {
    let fails = true
    const { audit: log, checkpoints: own } = process({
      async append(rows) {
        if (fails) throw new Error('No space left on device')
        await store.append(rows)
      },
    })
    await expect(log.record([facts()])).rejects.toMatchObject({ code: 'audit_unavailable', retryAfter: 2 })
    fails = false
    await log.record([facts()])
    await own.write()
    expect(await verify()).toMatchObject({ intact: true, records: 1 })
  })

  test('an append whose confirmation was lost does not look like tampering', async () => {
    let lost = true
    const { audit: log, checkpoints: own } = process({
      async append(rows) {
        await store.append(rows)
        if (lost) throw new Error('Connection terminated')
      },
    })
    await expect(log.record([facts()])).rejects.toMatchObject({ code: 'audit_unavailable' })
    lost = false
    await record(3, log)
    await own.write()
    expect(await verify()).toMatchObject({ intact: true, records: 4 })
  })

  const tampering: [string, RawBuilder<unknown>[], string][] = [
    ['an edited outcome', [sql`update audit_log set outcome = 'denied' where number = 3`], 'changed'],
    ['an edited reason', [sql`update audit_log set reason = 'invalid_api_key' where number = 3`], 'changed'],
    ['an edited actor', [sql`update audit_log set actor = gen_random_uuid() where number = 3`], 'changed'],
    ['an edited name', [sql`update audit_log set actor_name = 'ci' where number = 3`], 'changed'],
    [
      'an edited workspace',
      [sql`update audit_log set workspace_id = gen_random_uuid() where number = 3`],
      'changed',
    ],
    ['an edited connection', [sql`update audit_log set connection = 'other' where number = 3`], 'changed'],
    ['an edited target', [sql`update audit_log set target = 'ci' where number = 3`], 'changed'],
    ['an edited subject', [sql`update audit_log set subject = 'alice' where number = 3`], 'changed'],
    ['an edited action', [sql`update audit_log set action = 'listAudit' where number = 3`], 'changed'],
    ['an edited address', [sql`update audit_log set address = '10.0.0.1' where number = 3`], 'changed'],
    ['an edited request id', [sql`update audit_log set request_id = 'other' where number = 3`], 'changed'],
    ['an added detail', [sql`update audit_log set detail = '{"sub":"x"}' where number = 3`], 'changed'],
    ['an edited detail', [sql`update audit_log set detail = '{"sub":"x"}' where number = 2`], 'changed'],
    ['a removed detail', [sql`update audit_log set detail = null where number = 2`], 'changed'],
    ['an edited time', [sql`update audit_log set at = at - interval '1 second' where number = 3`], 'changed'],
    [
      'an edited MAC',
      [sql`update audit_log set mac = decode(repeat('00', 32), 'hex') where number = 3`],
      'changed',
    ],
    ['a deleted record', [sql`delete from audit_log where number = 3`], 'missing'],
    ['a deleted beginning', [sql`delete from audit_log where number <= 3`], 'missing'],
    ['a deleted tail', [sql`delete from audit_log where number >= 4`], 'tail_missing'],
    ['a deleted stream', [sql`delete from audit_log`], 'tail_missing'],
    [
      'two records that were swapped',
      [
        sql`update audit_log set number = 99 where number = 2`,
        sql`update audit_log set number = 2 where number = 3`,
        sql`update audit_log set number = 3 where number = 99`,
      ],
      'changed',
    ],
    [
      'a forged record at the end',
      [
        sql`insert into audit_log select stream, 7, now(), workspace_id, actor, actor_name, action, connection, target, subject,
          outcome, reason, address, 'forged', mac from audit_log where number = 6`,
      ],
      'changed',
    ],
    [
      'a forged record in a stream of its own',
      [
        sql`insert into audit_log select gen_random_uuid(), 1, now(), workspace_id, actor, actor_name, action, connection, target,
          subject, outcome, reason, address, 'forged', mac from audit_log where number = 1`,
      ],
      'changed',
    ],
    [
      'a second record of the same number',
      [
        sql`insert into audit_log select stream, number, at + interval '1 ms', workspace_id, actor, actor_name, action,
          connection, target, subject, outcome, reason, address, 'forged', mac from audit_log where number = 3`,
      ],
      'unknown',
    ],
    ['a changed checkpoint', [sql`update audit_checkpoints set content = '{"heads": []}'`], 'checkpoint_changed'],
  ]
  test.each(tampering)('finds %s', async (_what, statements, kind) => {
    await record(6)
    expect(await verify()).toMatchObject({ intact: true, records: 6 })
    for (const statement of statements) await execute(statement)
    const { intact, problems } = await verify()
    expect(intact).toBe(false)
    expect(problems.map((problem) => problem.kind)).toContain(kind)
  })

  test('finds a checkpoint that was deleted together with the records it vouches for, by a head that was kept elsewhere', async () => {
    await record(3)
    await verify()
    await record(3)
    const { head } = await verify()
    await execute(sql`delete from audit_log where number > 3`)
    await execute(sql`delete from audit_checkpoints where number > 1`)
    const { problems } = await verify(head ?? '')
    expect(problems.map((problem) => problem.kind)).toContain('checkpoint_missing')
  })

  test('a checkpoint in the middle that is gone is missed', async () => {
    for (let i = 0; i < 3; i++) {
      await record(2)
      await checkpoints.write()
    }
    await execute(sql`delete from audit_checkpoints where number = 2`)
    const { problems } = await verify()
    expect(problems.map((problem) => problem.kind)).toContain('checkpoint_missing')
  })

  test('lets go of old months without that looking like tampering, also of streams that go on', async () => {
    let now = new Date()
    const past = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 15, 10))
    const month = past.toISOString().slice(0, 7)
    await execute(sql`create table ${sql.table(`audit_log_${month.replace('-', '_')}`)} partition of audit_log
      for values from (${sql.lit(`${month}-01`)}) to (${sql.lit(`${month}-28`)})`)
    now = past
    const log = createAuditLog({ store, key, clock: () => now })
    const deps = { store, audit: log, key, log: silentLog, clock: () => now, months: 12 }
    checkpoints = createAuditCheckpoints(deps)
    await record(4, log)
    await checkpoints.write()
    now = new Date()
    await record(3, log)
    await checkpoints.prune()
    expect(await verify()).toMatchObject({ intact: true, records: 3 })
    await execute(sql`delete from audit_log where number = 5`)
    expect((await verify()).problems.map(({ kind }) => kind)).toContain('missing')
  })

  test('does not sign away what was put among the old months to cover a deletion', async () => {
    const past = new Date(Date.UTC(2020, 0, 10))
    await execute(sql`create table if not exists audit_log_2020_01 partition of audit_log
      for values from ('2020-01-01') to ('2020-02-01')`)
    await record(4)
    await checkpoints.write()
    await execute(sql`insert into audit_log select stream, number, ${past}::timestamptz, workspace_id, actor, actor_name,
      action, connection, target, subject, outcome, reason, address, request_id, mac from audit_log where number = 4`)
    await execute(sql`delete from audit_log where at > '2021-01-01'`)
    await checkpoints.prune()
    const { intact, problems } = await verify()
    expect(intact).toBe(false)
    expect(problems.length).toBeGreaterThan(0)
    await execute(sql`drop table audit_log_2020_01`)
  })

  test('vouches for what a process left that was killed, once it was verified', async () => {
    const killed = process()
    await record(5, killed.audit)
    expect(await verify()).toMatchObject({ intact: true, records: 5 })
    await execute(sql`delete from audit_log where number > 3`)
    expect((await verify()).problems.map(({ kind }) => kind)).toContain('tail_missing')
  })

  test('tells a workspace of another one only whether it is intact', async () => {
    await audit.record([facts()])
    const other = { ...stores.admin, workspaceId: '00000000-0000-4000-8000-000000000000' }
    await audit.record([facts({ actor: other })])
    expect(await verify()).toMatchObject({ intact: true, records: 1 })
    await execute(sql`update audit_log set reason = 'x' where workspace_id = ${other.workspaceId}`)
    const { intact, problems } = await verify()
    expect(intact).toBe(false)
    expect(problems).toEqual([{ kind: 'changed', record: null, detail: 'In the records of another workspace' }])
  })

  test('finds a second record of a number also where a page of records ends', async () => {
    for (let i = 0; i < 10; i++) await record(500)
    await record(500)
    await execute(sql`insert into audit_log select stream, number, at + interval '1 ms', workspace_id, actor, actor_name,
      action, connection, target, subject, outcome, reason, address, 'forged', mac from audit_log
      order by stream, number offset 4999 limit 1`)
    expect((await verify()).problems.map(({ kind }) => kind)).toContain('unknown')
  })

  test('takes no more than can wait, and lets go of all that waits when the database is gone', async () => {
    const hanging: (() => void)[] = []
    const { audit: log } = process({
      append: () =>
        new Promise((_resolve, reject) => {
          hanging.push(() => reject(new Error('Connection terminated')))
        }),
    })
    const waiting = Array.from({ length: 10_000 }, () => log.record([facts()]))
    const settled = Promise.allSettled(waiting)
    await expect(log.record([facts()])).rejects.toMatchObject({ code: 'overloaded' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(hanging).toHaveLength(2)
    for (const fail of hanging) fail()
    const outcomes = await settled
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  })

  test('records so many keys that are none in a minute, and all that somebody does', async () => {
    const log = limitAnonymous(audit, { clock: () => new Date(0), log: silentLog })
    for (let i = 0; i < 400; i++) await log.record([facts({ actor: null, outcome: 'denied' })])
    await log.record([facts()])
    const { rows } = await sql`select from audit_log`.execute(stores.db)
    expect(rows).toHaveLength(301)
  })

  test('leaves no refusal of a token out because another workspace, or no workspace at all, is flooded', async () => {
    const log = limitAnonymous(audit, { clock: () => new Date(0), log: silentLog })
    const refusal = (workspaceId: string | null) => facts({ actor: null, outcome: 'denied', workspaceId })
    const flooded = '00000000-0000-4000-8000-000000000000'
    for (let i = 0; i < 400; i++) await log.record([refusal(flooded), refusal(null)])
    await log.record([refusal(stores.admin.workspaceId)])
    const { rows } = await sql<{ count: string }>`select count(*) from audit_log
      where workspace_id = ${stores.admin.workspaceId}`.execute(stores.db)
    expect(Number(rows[0]?.count)).toBe(1)
  })

  describe('a list', () => {
    const listed = async (given: object = {}, visible: object = {}) => {
      const query = {
        limit: 100,
        after: undefined,
        since: undefined,
        until: undefined,
        connection: undefined,
        caller: undefined,
        outcome: undefined,
        ...given,
      }
      const seen = { actor: stores.admin.id, connections: ['*'], subjects: null, ...visible }
      return (await store.list(stores.admin.workspaceId, query, seen)).map(({ requestId }) => requestId)
    }
    const nobody = '00000000-0000-4000-8000-000000000000'

    test('is newest first, page by page, and of one workspace', async () => {
      await record(5)
      await audit.record([facts({ actor: { ...stores.admin, workspaceId: nobody }, requestId: 'foreign' })])
      await audit.record([facts({ actor: null, requestId: 'unknown key' })])
      expect(await listed()).toEqual(['request-5', 'request-4', 'request-3', 'request-2', 'request-1'])
      const rows = await store.list(
        stores.admin.workspaceId,
        {
          limit: 2,
          after: undefined,
          since: undefined,
          until: undefined,
          connection: undefined,
          caller: undefined,
          outcome: undefined,
        },
        { actor: nobody, connections: ['*'], subjects: null },
      )
      const last = rows.at(-1)
      expect(await listed({ after: `${last?.stream}:${last?.number}`, limit: 2 })).toEqual([
        'request-3',
        'request-2',
      ])
    })

    test('can be cut by time, connection, caller and outcome', async () => {
      await audit.record([facts({ requestId: 'a', connection: 'one' })])
      await new Promise((resolve) => setTimeout(resolve, 5))
      const middle = new Date()
      await new Promise((resolve) => setTimeout(resolve, 5))
      await audit.record([
        facts({ requestId: 'b', connection: 'two', outcome: 'denied', reason: 'permission_denied' }),
      ])
      expect(await listed({ connection: 'one' })).toEqual(['a'])
      expect(await listed({ outcome: 'denied' })).toEqual(['b'])
      expect(await listed({ since: middle })).toEqual(['b'])
      expect(await listed({ until: middle })).toEqual(['a'])
      expect(await listed({ caller: stores.admin.name })).toEqual(['b', 'a'])
      expect(await listed({ caller: 'nobody' })).toEqual([])
    })

    test('shows a limited caller its connections and subjects, and what it did itself', async () => {
      await audit.record([facts({ requestId: 'inside', connection: 'google-1' })])
      await audit.record([facts({ requestId: 'alice', connection: 'google-1', subject: 'alice' })])
      await audit.record([facts({ requestId: 'outside', connection: 'slack-1' })])
      await audit.record([facts({ requestId: 'no connection', connection: null, subject: null })])
      const limited = { actor: nobody, connections: ['google-*'], subjects: [] }
      expect(await listed({}, limited)).toEqual(['inside'])
      // Records of one millisecond that are in different streams have no order.
      expect((await listed({}, { ...limited, subjects: ['alice'] })).toSorted()).toEqual(['alice', 'inside'])
      expect(await listed({}, { ...limited, actor: stores.admin.id })).toHaveLength(4)
    })
  })
})
