import { describe, expect, test } from 'vitest'
import { keys, openTerminal } from './e2e/support/terminal.ts'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { caller, createdCaller } from './support/samples.ts'

const key = 'ack_shown-once'

describe('callers create', () => {
  const create = async (...flags: string[]) => {
    const { url, requests } = await fakeVault({ createCaller: () => createdCaller() })
    return { ...(await run(['callers', 'create', ...flags], { url })), body: requests[0]?.body }
  }

  test('shows the key once, with a warning, and what the caller may do', async () => {
    const { exitCode, stdout, stderr } = await create('ci', '--allow', 'token:read')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Created ci\.\n {2}id +1c9a5f1e/)
    expect(stdout).toMatch(/^ {2}may +token:read$/m)
    expect(stdout).toMatch(/^ {2}connections +google-\*$/m)
    expect(stdout).toMatch(/^ {2}subjects +none$/m)
    expect(stdout).toMatch(/^ {2}addresses +any$/m)
    expect(stdout).toMatch(/^ {2}expires +never$/m)
    expect(stdout).toMatch(/\n\nAPI key: ack_shown-once\n$/)
    expect(stderr).toContain('shown this once')
    expect(stderr).not.toContain(key)
  })

  test('gives the key in JSON, and nothing besides', async () => {
    const { exitCode, stdout, stderr } = await create('ci', '--allow', 'token:read', '--json')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual(createdCaller())
  })

  test('sends what is said, and leaves the rest to the vault', async () => {
    expect((await create('--name', 'ci', '--allow', 'token:read')).body).toEqual({
      name: 'ci',
      permissions: ['token:read'],
    })
    const flags = ['--allow', 'token:read,connection:read', '--allow', 'audit:read']
    flags.push('--connection', 'google-*', '--connection', 'slack,github', '--subject', 'doe, jane')
    flags.push('--subject', 'user-*', '--address', '10.0.0.0/8,192.0.2.7', '--address', '2001:db8::/32')
    expect((await create('web', ...flags, '--expires', '2027-01-31')).body).toEqual({
      name: 'web',
      permissions: ['token:read', 'connection:read', 'audit:read'],
      connections: ['google-*', 'slack', 'github'],
      subjects: ['doe, jane', 'user-*'],
      addresses: ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'],
      expires_at: '2027-01-31T00:00:00.000Z',
    })
  })

  test.each([
    [['--no-subjects'], []],
    [['--all-subjects'], null],
  ])('%j means %j', async (flags, subjects) => {
    expect((await create('ci', '--allow', 'token:read', ...flags)).body).toMatchObject({ subjects })
  })

  test('takes the life of a key in days', async () => {
    const { body } = await create('ci', '--allow', 'token:read', '--expires', '90d')
    const { expires_at } = body as { expires_at: string }
    expect(Math.abs(Date.parse(expires_at) - Date.now() - 90 * 86_400_000)).toBeLessThan(60_000)
  })

  test.each([
    [[], 'Missing: --name, --allow.'],
    [['ci'], 'Missing: --allow.'],
    [['--allow', 'token:read'], 'Missing: --name.'],
    [['ci', '--allow', 'token:raed'], '--allow takes token:read, refresh_token:read,'],
    [['ci', '--allow', ','], '--allow was given without a value'],
    [['ci', '--allow', 'token:read', '--subject', 'a', '--no-subjects'], 'exclude each other'],
    [['ci', '--allow', 'token:read', '--all-subjects', '--no-subjects'], 'exclude each other'],
    [['ci', '--allow', 'token:read', '--expires', 'soon'], '--expires takes a time'],
    [['ci', '--name', 'other', '--allow', 'token:read'], 'two different names'],
    [['ci', '--alow', 'token:read'], '(Did you mean --allow?)'],
  ])('%j is not right', async (flags, words) => {
    const { exitCode, stdout, stderr, body } = await create(...flags)
    expect({ exitCode, stdout, body }).toEqual({ exitCode: 2, stdout: '', body: undefined })
    expect(stderr).toContain(words)
  })
})

describe('callers list', () => {
  const all = [
    caller({
      name: 'admin',
      permissions: ['caller:manage', 'workspace:admin'],
      connections: ['*'],
      subjects: null,
    }),
    caller({
      addresses: ['10.0.0.0/8', '192.0.2.7'],
      expires_at: new Date(Date.now() + 90.5 * 86_400_000).toISOString(),
      last_used_at: '2026-01-02T00:00:00.000Z',
    }),
    caller({ name: 'old', expires_at: '2020-01-01T00:00:00.000Z', subjects: ['alice', 'bob'] }),
  ]

  test('prints a table, following pages', async () => {
    const { url, requests } = await fakeVault({
      listCallers: ({ query }) =>
        query.after === undefined
          ? { callers: all.slice(0, 2), next: 'ci' }
          : { callers: all.slice(2), next: null },
    })
    const { exitCode, stdout } = await run(['callers', 'list'], { url })
    expect(exitCode).toBe(0)
    expect(requests.map(({ query }) => query.after)).toEqual([undefined, 'ci'])
    expect(stdout.split('\n')).toEqual([
      'NAME   EXPIRES IN    LAST USED                 CONNECTIONS  SUBJECTS    ADDRESSES              MAY',
      'admin  -             -                         *            all         any                    caller:manage, workspace:admin',
      'ci     90 days 11 h  2026-01-02T00:00:00.000Z  google-*     none        10.0.0.0/8, 192.0.2.7  token:read',
      'old    ended         -                         google-*     alice, bob  any                    token:read',
      '',
    ])
  })

  test('prints all as JSON', async () => {
    const { url } = await fakeVault({ listCallers: () => ({ callers: all, next: null }) })
    expect(JSON.parse((await run(['callers', 'list', '--json'], { url })).stdout)).toEqual({ callers: all })
  })
})

describe.each(['rotate', 'revoke'] as const)('callers %s', (command) => {
  const ids = { ci: caller().id, other: '7d1b7c1e-0f0b-4c39-9a59-6c1f3c1f7e11' }
  const operation = command === 'rotate' ? 'rotateCaller' : 'revokeCaller'
  const vault = (callers = [caller(), caller({ id: ids.other, name: 'other' })]) =>
    fakeVault({
      listCallers: ({ query }) =>
        query.after === undefined
          ? { callers: callers.slice(0, 1), next: 'ci' }
          : { callers: callers.slice(1), next: null },
      rotateCaller: () => createdCaller(),
      revokeCaller: () => caller({ revoked_at: '2026-01-02T00:00:00.000Z' }),
    })

  test.each([
    ['ci', ids.ci],
    ['other', ids.other],
    [ids.other, ids.other],
  ])('finds %s by its name or id', async (named, id) => {
    const { url, requests } = await vault()
    expect((await run(['callers', command, named], { url })).exitCode).toBe(0)
    expect(requests.at(-1)).toMatchObject({ operation, params: { id } })
  })

  test('takes an id for an id, also when somebody has called a caller like it', async () => {
    const { url, requests } = await vault([caller({ name: ids.other }), caller({ id: ids.other, name: 'other' })])
    await run(['callers', command, ids.other], { url })
    expect(requests.at(-1)?.params).toEqual({ id: ids.other })
  })

  test('says that there is no such caller', async () => {
    const { url, requests } = await vault()
    const { exitCode, stderr } = await run(['callers', command, 'nobody'], { url })
    expect(exitCode).toBe(4)
    expect(stderr).toContain('[caller_not_found]')
    expect(stderr).toContain('authconn callers list')
    expect(requests.map(({ operation: asked }) => asked)).not.toContain(operation)
  })

  test('wants a caller', async () => {
    const { exitCode, stderr } = await run(['callers', command])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('The caller is missing')
  })

  // There is no pseudo-terminal on Windows that takes these keys.
  test.skipIf(process.platform === 'win32')('asks in a terminal which one', async () => {
    const { url, requests } = await vault()
    const terminal = openTerminal(['callers', command], { AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak_test' })
    await terminal.shows('Which caller?')
    terminal.type(`\u001b[B${keys.enter}`)
    expect(await terminal.exitCode).toBe(0)
    expect(requests.at(-1)).toMatchObject({ operation, params: { id: ids.other } })
  })

  test('tells a refusal', async () => {
    const refuse = () => {
      throw new Problem('permission_denied', 'The key "a" holds less than "ci"')
    }
    const { url } = await fakeVault({
      listCallers: () => ({ callers: [caller()], next: null }),
      rotateCaller: refuse,
      revokeCaller: refuse,
    })
    expect(await run(['callers', command, 'ci'], { url })).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringContaining('holds less than "ci"'),
    })
  })
})

describe('callers rotate', () => {
  const until = new Date(Date.now() + 86_400_000 - 1000).toISOString()
  const rotate = async (...flags: string[]) => {
    const { url, requests } = await fakeVault({
      listCallers: () => ({ callers: [caller()], next: null }),
      rotateCaller: () => createdCaller({ former_key_until: until }),
    })
    return { ...(await run(['callers', 'rotate', 'ci', ...flags], { url })), body: requests.at(-1)?.body }
  }

  test.each([
    [[], {}],
    [['--overlap', '2h'], { overlap: 7200 }],
    [['--overlap', '0'], { overlap: 0 }],
  ])('with %j asks for %j', async (flags, body) => {
    expect((await rotate(...flags)).body).toEqual(body)
  })

  test('shows the new key once, and until when the former one works', async () => {
    const { stdout, stderr } = await rotate()
    expect(stdout).toMatch(/^Rotated the key of ci\.\n/)
    expect(stdout).toContain(`works until ${until} (23 h 59 min)`)
    expect(stdout).toContain(`API key: ${key}\n`)
    expect(stderr).toContain('shown this once')
  })

  test('gives it in JSON', async () => {
    const { stdout, stderr } = await rotate('--json')
    expect(JSON.parse(stdout)).toEqual(createdCaller({ former_key_until: until }))
    expect(stderr).toBe('')
  })

  test('refuses an overlap that is too long', async () => {
    expect(await rotate('--overlap', '31d')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--overlap takes a time from 0 s to 30 days'),
    })
  })
})

test('callers revoke says so, and gives the caller as JSON', async () => {
  const revoked = caller({ revoked_at: '2026-01-02T00:00:00.000Z' })
  const { url } = await fakeVault({
    listCallers: () => ({ callers: [caller()], next: null }),
    revokeCaller: () => revoked,
  })
  expect((await run(['callers', 'revoke', 'ci'], { url })).stdout).toBe('Revoked the caller ci.\n')
  expect(JSON.parse((await run(['callers', 'revoke', 'ci', '--json'], { url })).stdout)).toEqual(revoked)
})

test('no text of a caller steers the terminal', async () => {
  const evil = '\u001b[2J\u009b1m\u202e\nowned'
  const { url } = await fakeVault({
    listCallers: () => ({ callers: [caller({ name: evil, subjects: [evil] })], next: null }),
    createCaller: () => createdCaller({ name: evil, api_key: evil, subjects: [evil] }),
  })
  for (const argv of [
    ['callers', 'list'],
    ['callers', 'create', 'a', '--allow', 'token:read'],
  ]) {
    for (const flags of [[], ['--json']]) {
      const { stdout } = await run([...argv, ...flags], { url })
      expect(stdout).toContain('owned')
      expect(stdout).not.toMatch(/[\u001b\u009b\u202e]|^owned/m)
    }
  }
})
