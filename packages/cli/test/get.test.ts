import { describe, expect, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection, event, grant } from './support/samples.ts'

describe('get', () => {
  test('shows everything but what is not there', async () => {
    const { url } = await fakeVault({ getConnection: () => connection({ issuer_url: null }) })
    const { stdout, stderr } = await run(['get', 'google-oauth'], { url })
    expect(stdout).toMatch(/^google-oauth\n/)
    expect(stdout).toMatch(/^ {2}client id +client-1$/m)
    expect(stdout).toMatch(/^ {2}revocation endpoint +none$/m)
    expect(stdout).not.toContain('issuer')
    expect(stderr).toBe('')
  })

  test('shows whose tokens they are, and what the API needs besides', async () => {
    const nobody = { id: null, email: null, login: null, name: null, company: null }
    const shown = async (account: Partial<typeof nobody> | Record<string, string>) => {
      const known = connection({ account: { ...nobody, ...account }, metadata: { realm_id: '9341' } })
      const { url } = await fakeVault({ getConnection: () => known })
      return (await run(['get', 'google-oauth'], { url })).stdout
    }
    expect(await shown({ email: 'ann@acme.example', company: 'Acme' })).toMatch(
      /^ {2}account +ann@acme\.example \(Acme\)$/m,
    )
    expect(await shown({ login: 'ann' })).toMatch(/^ {2}account +ann$/m)
    expect(await shown({ company: 'Acme' })).toMatch(/^ {2}account +Acme$/m)
    expect(await shown({ id: '7' })).toMatch(/^ {2}realm id +9341$/m)
  })

  test('shows the grant of a subject, from whatever page', async () => {
    const { url } = await fakeVault({
      getConnection: () => connection({ status: 'pending' }),
      listGrants: ({ query }) =>
        query.after === undefined
          ? { grants: [grant({ subject: 'user-1' })], next: 'user-1' }
          : { grants: [grant({ subject: 'user-17', status: 'expired', scope: 'mail' })], next: null },
    })
    const { stdout, stderr } = await run(['get', 'google-oauth', '--subject', 'user-17'], { url })
    expect(stdout).toMatch(/^google-oauth for user-17\n/)
    expect(stdout).toMatch(/^ {2}status +expired$/m)
    expect(stdout).toMatch(/^ {2}scope +mail$/m)
    expect(stderr).toBe('Next: authconn authorize google-oauth --subject user-17\n')
    const missing = await run(['get', 'google-oauth', '--subject', 'user-99'], { url })
    expect(missing).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('[grant_not_found]') })
  })
})

describe('get shows of a grant', () => {
  const inMinutes = (minutes: number) => new Date(Date.now() + (minutes + 0.5) * 60_000).toISOString()
  const rows = async (changes: Parameters<typeof connection>[0]) => {
    const { url } = await fakeVault({ getConnection: () => connection(changes) })
    const { stdout } = await run(['get', 'google-oauth'], { url })
    const lines = stdout.split('\n').map((line) => /^ {2}(\S.*?) {2,}(.*)$/.exec(line) ?? [])
    return new Map(lines.map(([, label, value]) => [label, value]))
  }

  test('when its access token ends, and whether that is assumed', async () => {
    const end = inMinutes(59)
    expect((await rows({ expires_at: end })).get('access token ends')).toBe(`${end} (59 min)`)
    expect((await rows({ expires_at: end, expires_at_assumed: true })).get('access token ends')).toBe(
      `${end} (59 min, assumed: the provider does not say)`,
    )
    expect((await rows({ expires_at: null })).get('access token ends')).toBe('no end')
  })

  test('when it was refreshed, and will be', async () => {
    const next = inMinutes(12)
    const shown = await rows({ last_refreshed_at: '2026-01-01T00:00:00.000Z', next_refresh_at: next })
    expect(shown.get('last refreshed')).toBe('2026-01-01T00:00:00.000Z')
    expect(shown.get('next refresh')).toBe(`${next} (in 12 min)`)
    const due = '2026-01-01T00:00:00.000Z'
    expect((await rows({ next_refresh_at: due })).get('next refresh')).toBe(`${due} (now)`)
  })

  test('why it will not be refreshed', async () => {
    const refused = { code: 'client_rejected', class: 'configuration', detail: 'd', at: '2026' } as const
    expect((await rows({ last_error: refused })).get('next refresh')).toBe(
      'none until the connection is updated or a refresh is forced',
    )
    expect((await rows({})).get('next refresh')).toBe('none planned')
    expect((await rows({ refreshable: false })).get('refreshed by the vault')).toContain('no refresh token')
    expect((await rows({ refreshable: false })).has('next refresh')).toBe(false)
    expect((await rows({ status: 'expired' })).has('next refresh')).toBe(false)
  })

  test('how often it failed, and the last error with its class', async () => {
    const at = '2026-01-01T00:00:00.000Z'
    const last_error = { code: 'provider_unavailable', class: 'passing', detail: 'status 503', at } as const
    const shown = await rows({ failures: 3, last_error })
    expect(shown.get('failures in a row')).toBe('3')
    expect(shown.get('last error')).toBe(`provider_unavailable (passing): status 503 (${at})`)
    expect((await rows({})).has('failures in a row')).toBe(false)
  })

  test('when its refresh token ends, and until when the former client secret is used', async () => {
    const end = inMinutes(90)
    const shown = await rows({ refresh_token_expires_at: end, former_client_secret_until: end })
    expect(shown.get('refresh token ends')).toBe(`${end} (1 h 30 min, unless it is used)`)
    expect(shown.get('former client secret')).toBe(`used where the new one is refused, until ${end} (1 h 30 min)`)
    expect((await rows({})).has('refresh token ends')).toBe(false)
    expect((await rows({})).has('former client secret')).toBe(false)
  })

  test('nothing of tokens that are not there', async () => {
    const shown = await rows({ status: 'pending', expires_at: null, refreshable: false })
    for (const label of ['access token ends', 'refreshed by the vault', 'last refreshed', 'next refresh']) {
      expect(shown.has(label)).toBe(false)
    }
  })
})

describe('get --history', () => {
  const events = [
    event({ type: 'grant.recovered', at: '2026-01-03T00:00:00.000Z', subject: 'user-17' }),
    event({
      type: 'grant.refresh_failed',
      at: '2026-01-02T00:00:00.000Z',
      code: 'client_rejected',
      class: 'configuration',
      detail: 'invalid_client',
    }),
    event(),
  ]

  test('adds what happened, newest first', async () => {
    const { url, requests } = await fakeVault({
      getConnection: () => connection(),
      listEvents: () => ({ events, next: 'older' }),
    })
    const { exitCode, stdout } = await run(['get', 'google-oauth', '--history'], { url })
    expect(exitCode).toBe(0)
    expect(stdout.split('\n').slice(-5)).toEqual([
      'WHEN                      EVENT                 SUBJECT  ERROR                            DETAIL',
      '2026-01-03T00:00:00.000Z  grant.recovered       user-17  -                                -',
      '2026-01-02T00:00:00.000Z  grant.refresh_failed  -        client_rejected (configuration)  invalid_client',
      '2026-01-01T00:00:00.000Z  grant.refreshed       -        -                                -',
      '',
    ])
    expect(stdout).toMatch(/^google-oauth\n[\s\S]*\n\nWHEN /)
    expect(requests.map(({ operation, query }) => [operation, query])).toEqual([
      ['getConnection', {}],
      ['listEvents', { limit: '20' }],
    ])
  })

  test('is that of one subject where one is named', async () => {
    const { url, requests } = await fakeVault({
      getConnection: () => connection(),
      listGrants: () => ({ grants: [grant({ subject: 's' })], next: null }),
      listEvents: () => ({ events: [], next: null }),
    })
    const { stdout } = await run(['get', 'google-oauth', '--subject', 's', '--history'], { url })
    expect(requests.at(-1)?.query).toEqual({ limit: '20', subject: 's' })
    expect(stdout).toContain('\n\nNothing has happened')
  })

  test('is beside the connection as JSON, and not there unless asked for', async () => {
    const { url } = await fakeVault({
      getConnection: () => connection(),
      listEvents: () => ({ events, next: null }),
    })
    const asked = await run(['get', 'google-oauth', '--history', '--json'], { url })
    expect(JSON.parse(asked.stdout)).toEqual({ ...connection(), events })
    expect(JSON.parse((await run(['get', 'google-oauth', '--json'], { url })).stdout)).toEqual(connection())
  })

  test('lets no text of a provider steer the terminal', async () => {
    const evil = '\u001b[2J\u009b1m\u202e\nowned'
    const at = '2026-01-01T00:00:00.000Z'
    const { url } = await fakeVault({
      getConnection: () =>
        connection({ last_error: { code: 'provider_unavailable', class: 'passing', detail: evil, at } }),
      listEvents: () => ({
        events: [event({ subject: evil, code: evil, class: 'passing', detail: evil })],
        next: null,
      }),
    })
    for (const flags of [[], ['--json']]) {
      const { stdout } = await run(['get', 'google-oauth', '--history', ...flags], { url })
      expect(stdout).toContain('owned')
      expect(stdout).not.toMatch(/[\u001b\u009b\u202e]|^owned/m)
    }
  })

  test('colors what failed and what recovered', async () => {
    const { url } = await fakeVault({
      getConnection: () => connection(),
      listEvents: () => ({ events: [...events, event({ type: 'grant.expired' })], next: null }),
    })
    const { stdout } = await run(['get', 'google-oauth', '--history'], { url, env: { FORCE_COLOR: '1' } })
    expect(stdout).toContain('\u001b[32mgrant.recovered\u001b[39m')
    expect(stdout).toContain('\u001b[33mgrant.refresh_failed\u001b[39m')
    expect(stdout).toContain('\u001b[31mgrant.expired\u001b[39m')
  })
})
