import type { AuditRecord, AuditReport } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import { fakeVault, Problem, type VaultRequest } from './support/fake-vault.ts'
import { begin, run } from './support/run.ts'
import { auditRecord } from './support/samples.ts'

/** A log to which records can be added, as a vault tells of it: newest first, in pages. */
async function growingLog(records: AuditRecord[] = []) {
  const vault = await fakeVault({
    listAudit({ query }) {
      const since = query.since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.since)
      const told = records
        .filter(({ at }) => Date.parse(at) >= since)
        .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
      const from = query.after === undefined ? 0 : told.findIndex(({ id }) => id === query.after) + 1
      const page = told.slice(from, from + Number(query.limit))
      return { records: page, next: from + page.length < told.length ? (page.at(-1)?.id ?? null) : null }
    },
  })
  return { ...vault, add: (...added: AuditRecord[]) => void records.push(...added) }
}

describe('audit list', () => {
  test('prints a table, newest first', async () => {
    const denied = auditRecord(2, {
      outcome: 'denied',
      reason: 'permission_denied',
      action: 'deleteConnection',
      subject: 'alice',
    })
    const unknown = auditRecord(3, {
      outcome: 'denied',
      reason: 'invalid_api_key',
      actor: null,
      actor_name: null,
      connection: null,
    })
    const { url } = await growingLog([auditRecord(1), denied, unknown])
    const { exitCode, stdout, stderr } = await run(['audit', 'list'], { url })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      'WHEN                      OUTCOME  CALLER  ACTION            CONNECTION    SUBJECT  REASON             ADDRESS',
      '2026-01-01T00:00:03.000Z  denied   -       getToken          -             -        invalid_api_key    192.0.2.7',
      '2026-01-01T00:00:02.000Z  denied   ci      deleteConnection  google-oauth  alice    permission_denied  192.0.2.7',
      '2026-01-01T00:00:01.000Z  allowed  ci      getToken          google-oauth  -        -                  192.0.2.7',
      '',
    ])
  })

  test('tells why a token of another platform was refused, which its error code does not', async () => {
    const refused = { action: 'exchangeToken', outcome: 'denied', reason: 'identity_refused' } as const
    const { url } = await growingLog([
      auditRecord(1, { ...refused, detail: { trust: 'deploy', why: 'replayed' } }),
      auditRecord(2, { ...refused, detail: { trust: 'deploy', why: 'claim', claim: 'repository_id' } }),
    ])
    const { stdout } = await run(['audit', 'list'], { url })
    const [, second = '', first = ''] = stdout.split('\n')
    expect(second).toContain('  claim repository_id  ')
    expect(first).toContain('  replayed ')
    expect(stdout).not.toContain('identity_refused')
  })

  test('asks for what the flags say', async () => {
    const { url, requests } = await growingLog()
    const flags = ['--since', '2026-01-01', '--until', '2026-02-01T00:00:00Z', '--connection', 'google-oauth']
    flags.push('--caller', 'ci', '--outcome', 'denied', '--limit', '7')
    const { stdout } = await run(['audit', 'list', ...flags], { url })
    expect(requests[0]?.query).toEqual({
      since: '2026-01-01T00:00:00.000Z',
      until: '2026-02-01T00:00:00.000Z',
      connection: 'google-oauth',
      caller: 'ci',
      outcome: 'denied',
      limit: '7',
    })
    expect(stdout).toBe('There are no such records.\n')
  })

  test('takes --since as a time before now', async () => {
    const { url, requests } = await growingLog()
    await run(['audit', 'list', '--since', '2h'], { url })
    const since = Date.parse(requests[0]?.query.since ?? '')
    expect(Math.abs(Date.now() - 7_200_000 - since)).toBeLessThan(60_000)
  })

  test('follows pages up to the limit, and says that there are more', async () => {
    const { url, requests } = await growingLog(Array.from({ length: 2500 }, (_, n) => auditRecord(n)))
    const { stdout, stderr } = await run(['audit', 'list', '--limit', '2100', '--json'], { url })
    expect(requests.map(({ query }) => query.limit)).toEqual(['1000', '1000', '100'])
    const { records, more } = JSON.parse(stdout)
    expect(records).toHaveLength(2100)
    expect(new Set(records.map(({ id }: AuditRecord) => id)).size).toBe(2100)
    expect({ more, stderr }).toEqual({ more: true, stderr: '' })
    const words = await run(['audit', 'list', '--limit', '2'], { url })
    expect(words.stdout.split('\n')).toHaveLength(4)
    expect(words.stderr).toContain('These are the newest 2.')
    const all = await run(['audit', 'list', '--limit', '2500'], { url })
    expect(all.stderr).toBe('')
  })

  test('lets no text of a record steer the terminal', async () => {
    const evil = '\u001b[2J\u009b1m\u202e\nowned'
    const { url } = await growingLog([auditRecord(1, { subject: evil, actor_name: evil, address: evil })])
    for (const flags of [[], ['--json']]) {
      const { stdout } = await run(['audit', 'list', ...flags], { url })
      expect(stdout).toContain('owned')
      expect(stdout).not.toMatch(/[\u001b\u009b\u202e]|^owned/m)
    }
  })

  test.each([
    [['--outcome', 'maybe'], '--outcome is one of allowed, denied, failed'],
    [['--since', 'yesterday'], '--since takes a time'],
    [['--limit', '0'], '--limit takes a whole number from 1 to 100000'],
    [['--follow', '--until', '2026-01-01'], '--follow has no end'],
  ])('%j is not right', async (flags, words) => {
    const { exitCode, stderr } = await run(['audit', 'list', ...flags])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
  })
})

describe('audit list --follow', () => {
  const follow = (url: string, ...flags: string[]) => begin(['audit', 'list', '--follow', ...flags], { url })
  const ended = async (running: ReturnType<typeof begin>) => {
    running.interrupt()
    return { exitCode: await running.exitCode, stderr: running.stderr() }
  }
  const numbers = (stdout: string) =>
    stdout.split('\n').flatMap((line) => {
      const { id }: AuditRecord = line === '' ? { id: '' } : JSON.parse(line)
      return id === '' ? [] : [Number(id.split(':')[1])]
    })
  const polls = async (requests: VaultRequest[], more: number) => {
    const before = requests.length
    await expect.poll(() => requests.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(before + more)
  }

  test('prints one record in each line of JSON, newest last, each once, as they come', async () => {
    const log = await growingLog([auditRecord(2), auditRecord(1)])
    const running = follow(log.url, '--json')
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1, 2])
    log.add(auditRecord(4), auditRecord(3))
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1, 2, 3, 4])
    await polls(log.requests, 2)
    expect(numbers(running.stdout())).toEqual([1, 2, 3, 4])
    expect(await ended(running)).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(running.stdout().split('\n')[0] ?? '')).toEqual(auditRecord(1))
  })

  test('prints lines under one heading', async () => {
    const log = await growingLog([auditRecord(1)])
    const running = follow(log.url)
    await expect.poll(() => running.stdout(), { timeout: 10_000 }).toContain('00:00:01.000Z')
    log.add(auditRecord(2, { outcome: 'denied', connection: 'a-name-that-is-longer-than-others' }))
    await expect.poll(() => running.stdout(), { timeout: 10_000 }).toContain('00:00:02.000Z')
    expect(await ended(running)).toEqual({ exitCode: 0, stderr: '' })
    expect(running.stdout().split('\n')).toEqual([
      expect.stringMatching(/^WHEN {22}OUTCOME {2}CALLER /),
      expect.stringMatching(/^2026-01-01T00:00:01\.000Z {2}allowed {2}ci {16}getToken {10}google-oauth /),
      expect.stringMatching(
        /^2026-01-01T00:00:02\.000Z {2}denied {3}ci {16}getToken {10}a-name-that-is-longer-than-others {2}/,
      ),
      '',
    ])
  })

  test('waits for the first record where there is none yet', async () => {
    const log = await growingLog()
    const running = follow(log.url, '--json')
    await polls(log.requests, 1)
    log.add(auditRecord(1))
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1])
    expect(await ended(running)).toMatchObject({ exitCode: 0 })
  })

  test('does not miss a record that comes after a newer one, from a slower process', async () => {
    const log = await growingLog([auditRecord(30)])
    const running = follow(log.url, '--json')
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([30])
    log.add(auditRecord(10))
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([30, 10])
    await ended(running)
  })

  test('begins with the newest so many, and does not come back to older ones', async () => {
    const log = await growingLog(Array.from({ length: 20 }, (_, n) => auditRecord(n + 1)))
    const running = follow(log.url, '--json', '--limit', '2')
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([19, 20])
    expect(log.requests[0]?.query.limit).toBe('3')
    await polls(log.requests, 2)
    log.add(auditRecord(21))
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([19, 20, 21])
    await ended(running)
  })

  test('takes more at once than fit into a page', async () => {
    const log = await growingLog([auditRecord(1)])
    const running = follow(log.url, '--json')
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1])
    log.add(...Array.from({ length: 2500 }, (_, n) => auditRecord(n + 2)))
    await expect.poll(() => numbers(running.stdout()).length, { timeout: 10_000 }).toBe(2501)
    expect(numbers(running.stdout())).toEqual(Array.from({ length: 2501 }, (_, n) => n + 1))
    await ended(running)
  })

  test('leaves out the records of its own questions, and not those of others', async () => {
    const log = await growingLog([auditRecord(1)])
    const running = follow(log.url, '--json')
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1])
    const own = log.requests[0]?.requestId ?? ''
    expect(own.length).toBeGreaterThan(40)
    log.add(auditRecord(2, { action: 'listAudit', request_id: own }))
    log.add(auditRecord(3, { action: 'listAudit', request_id: 'of-somebody-else' }))
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1, 3])
    await polls(log.requests, 2)
    expect(numbers(running.stdout())).toEqual([1, 3])
    await ended(running)
  })

  test('loses nothing when the vault goes away between two pages', async () => {
    let failures = 1
    const records = Array.from({ length: 1500 }, (_, n) => auditRecord(1501 - n))
    const { url } = await fakeVault({
      listAudit({ query }) {
        // Before the first question after the start there is one record only.
        if (query.since === undefined) return { records: records.slice(-1), next: null }
        if (query.after === undefined) return { records: records.slice(0, 1000), next: 'more' }
        if (failures-- > 0) throw new Problem('not_ready', 'The vault is stopping')
        return { records: records.slice(1000), next: null }
      },
    })
    const running = follow(url, '--json')
    await expect.poll(() => numbers(running.stdout()).length, { timeout: 10_000 }).toBe(1500)
    expect(numbers(running.stdout())).toEqual(Array.from({ length: 1500 }, (_, n) => n + 2))
    await ended(running)
  })

  test('keeps its filters', async () => {
    const log = await growingLog([auditRecord(1)])
    const running = follow(log.url, '--json', '--outcome', 'denied', '--caller', 'ci')
    await polls(log.requests, 3)
    for (const { query } of log.requests) expect(query).toMatchObject({ outcome: 'denied', caller: 'ci' })
    await ended(running)
  })

  test('goes on when the vault is away for a while, and says so once', async () => {
    let away = false
    const { url, requests } = await fakeVault({
      listAudit: () => {
        if (away) throw new Problem('database_unavailable', 'The database does not answer.')
        return { records: requests.length < 5 ? [auditRecord(1)] : [auditRecord(2), auditRecord(1)], next: null }
      },
    })
    const running = follow(url, '--json')
    await expect.poll(() => numbers(running.stdout()), { timeout: 10_000 }).toEqual([1])
    away = true
    await polls(requests, 2)
    away = false
    await expect.poll(() => numbers(running.stdout()), { timeout: 15_000 }).toEqual([1, 2])
    const { exitCode, stderr } = await ended(running)
    expect(exitCode).toBe(0)
    expect(stderr.split('\n').filter((line) => line.includes('The database does not answer'))).toHaveLength(1)
  })

  test('ends with an error that no waiting mends', async () => {
    let revoked = false
    const { url, requests } = await fakeVault({
      listAudit: () => {
        if (revoked) throw new Problem('invalid_api_key', 'The API key is not valid')
        return { records: [], next: null }
      },
    })
    const running = follow(url)
    await polls(requests, 1)
    revoked = true
    expect(await running.exitCode).toBe(3)
    expect(running.stderr()).toContain('[invalid_api_key]')
  })

  test('ends at once, without an error, while it waits for an answer', async () => {
    const { url, requests } = await fakeVault({ listAudit: () => new Promise(() => {}) })
    const running = follow(url)
    await polls(requests, 1)
    expect(await ended(running)).toEqual({ exitCode: 0, stderr: '' })
  })
})

describe('audit verify', () => {
  const head = `12:${'a'.repeat(64)}`
  const report = (changes: Partial<AuditReport> = {}): AuditReport => ({
    intact: true,
    records: 1234,
    checkpoints: 1,
    problems: [],
    head,
    ...changes,
  })
  const verify = async (changes: Partial<AuditReport> = {}, ...flags: string[]) => {
    const { url, requests } = await fakeVault({ verifyAudit: () => report(changes) })
    return { ...(await run(['audit', 'verify', ...flags], { url })), requests }
  }
  const broken = {
    intact: false,
    problems: [
      { kind: 'changed' as const, record: 's:7', detail: 'Record s:7 is not what a vault wrote there' },
      { kind: 'checkpoint_missing' as const, record: null, detail: 'Checkpoint 3 is not there' },
    ],
  }

  test('says that the log is intact, and prints the head to keep', async () => {
    const { exitCode, stdout, stderr, requests } = await verify()
    expect(exitCode).toBe(0)
    expect(stdout).toBe(`Intact: 1234 records and 1 checkpoint, each as it was written.\nHead: ${head}\n`)
    expect(stderr).toContain(`authconn audit verify --head ${head}`)
    expect(requests[0]?.body).toEqual({})
  })

  test('gives a known head to the vault', async () => {
    expect((await verify({}, '--head', head)).requests[0]?.body).toEqual({ head })
  })

  test('ends with 1 when something is found, and says what', async () => {
    const { exitCode, stdout, stderr } = await verify(broken)
    expect(exitCode).toBe(1)
    expect(stdout.split('\n')).toEqual([
      'Not intact: among 1234 records and 1 checkpoint was found:',
      '',
      'WHAT                WHERE  DETAIL',
      'changed             s:7    Record s:7 is not what a vault wrote there',
      'checkpoint_missing  -      Checkpoint 3 is not there',
      '',
      `Head: ${head}`,
      '',
    ])
    expect(stderr).not.toContain('--head')
  })

  test('gives the report as JSON, with the same exit codes', async () => {
    const good = await verify({}, '--json')
    expect({ exitCode: good.exitCode, report: JSON.parse(good.stdout) }).toEqual({ exitCode: 0, report: report() })
    const bad = await verify(broken, '--json')
    expect({ exitCode: bad.exitCode, report: JSON.parse(bad.stdout) }).toEqual({
      exitCode: 1,
      report: report(broken),
    })
  })

  test('of a log without checkpoints has no head to keep', async () => {
    const { stdout, stderr } = await verify({ records: 0, checkpoints: 0, head: null })
    expect(stdout).toBe('Intact: 0 records and 0 checkpoints, each as it was written.\n')
    expect(stderr).toBe('')
  })

  test.each(['12', 'abc', `12:${'g'.repeat(64)}`, `:${'a'.repeat(64)}`])('%j is no head', async (given) => {
    const { exitCode, stderr, requests } = await verify({}, '--head', given)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('--head takes')
    expect(requests).toEqual([])
  })
})
