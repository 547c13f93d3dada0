import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection, token } from './support/samples.ts'

describe('token', () => {
  test('prints the access token and a line break, and nothing on stderr', async () => {
    const { url } = await fakeVault({ getToken: () => token() })
    expect(await run(['token', 'a'], { url })).toEqual({ exitCode: 0, stdout: 'at-1\n', stderr: '' })
    expect(JSON.parse((await run(['token', 'a', '--json'], { url })).stdout)).toEqual(token())
  })

  test.each([
    [['--min-ttl', '10m'], { min_ttl: '600' }],
    [['--min-ttl=0'], { min_ttl: '0' }],
    [
      ['--min-ttl', '24h', '--refresh', '--subject', 's'],
      { min_ttl: '86400', force_refresh: 'true', subject: 's' },
    ],
    [['--refresh'], { force_refresh: 'true' }],
    [[], {}],
  ])('with %j asks the vault for %j', async (flags, query) => {
    const { url, requests } = await fakeVault({ getToken: () => token() })
    expect((await run(['token', 'a', ...flags], { url })).exitCode).toBe(0)
    expect(requests.map((request) => request.query)).toEqual([query])
  })

  test.each([
    ['connection_not_found', 4],
    ['grant_pending', 5],
    ['grant_expired', 5],
    ['min_ttl_unreachable', 5],
    ['grant_not_refreshable', 5],
    ['permission_denied', 3],
    ['client_rejected', 6],
    ['provider_unavailable', 7],
    ['sealed_value_damaged', 1],
  ] as const)('ends %s with exit code %i, and prints no token', async (code, exitCode) => {
    const { url } = await fakeVault({
      getToken: () => {
        throw new Problem(code, 'because')
      },
    })
    const failed = await run(['token', 'a'], { url })
    expect(failed).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(`[${code}]`) })
    expect(failed.stderr).toContain('because')
    expect(failed.stderr).toContain('What to do: ')
    expect(JSON.parse((await run(['token', 'a', '--json'], { url })).stderr)).toMatchObject({
      code,
      exit_code: exitCode,
    })
  })
})

describe('token --format', () => {
  const fetched = async (given: string, ...flags: string[]) => {
    const { url } = await fakeVault({ getToken: () => token({ access_token: given }) })
    return run(['token', ...flags], { url })
  }

  test.each([
    [['raw'], 'at-1'],
    [['header'], 'Authorization: Bearer at-1'],
    [['env'], 'GOOGLE_OAUTH_ACCESS_TOKEN=at-1'],
    [['env', '--variable', 'T'], 'T=at-1'],
    [['netrc', '--host', 'api.example.com'], 'machine api.example.com login oauth2 password at-1'],
    [
      ['netrc', '--host', 'github.com', '--login', 'x-access-token'],
      'machine github.com login x-access-token password at-1',
    ],
  ])('%j prints %s and a line break', async (flags, line) => {
    const printed = await fetched('at-1', 'google-oauth', '--format', ...flags)
    expect(printed).toEqual({ exitCode: 0, stdout: `${line}\n`, stderr: '' })
  })

  test('json prints what --json prints', async () => {
    const printed = await fetched('at-1', 'a', '--format', 'json')
    expect(JSON.parse(printed.stdout)).toEqual(token())
    expect(await fetched('at-1', 'a', '--json')).toEqual(printed)
    expect(await fetched('at-1', 'a', '--json', '--format', 'json')).toEqual(printed)
  })

  test('env makes a name that a shell takes', async () => {
    expect((await fetched('at-1', '7-digits', '--format', 'env')).stdout).toBe('_7_DIGITS_ACCESS_TOKEN=at-1\n')
  })

  test.each(["it's $(reboot)", '`x`', 'a"b', '#a;b', '~'])('env is one word to a shell: %s', async (odd) => {
    const { stdout } = await fetched(odd, 'a', '--format', 'env', '--variable', 'T')
    const shell = await promisify(execFile)('/bin/sh', ['-c', `${stdout}printf %s "$T"`])
    expect(shell.stdout).toBe(odd)
  })

  test.each([
    ['header', 'canary\nX: y'],
    ['header', 'canary token'],
    ['env', 'canary\nPATH=x'],
    ['netrc', 'canary token'],
    ['netrc', 'canary"'],
    ['netrc', '#canary'],
  ])('%s takes no token that would say more: %j', async (format, odd) => {
    const host = format === 'netrc' ? ['--host', 'a.example'] : []
    const printed = await fetched(odd, 'a', '--format', format, ...host)
    expect(printed).toMatchObject({ exitCode: 6, stdout: '' })
    expect(printed.stderr).not.toContain('canary')
  })

  test.each([
    [['--format', 'xml'], '--format is one of raw, json, env, header, netrc'],
    [['--format', 'env', '--json'], 'exclude each other'],
    [['--variable', 'T'], '--variable goes with --format env'],
    [['--format', 'env', '--variable', 'a-b'], 'letters, digits and underscores'],
    [['--format', 'env', '--variable', 'AUTHCONN_URL'], 'settings of authconn itself'],
    [['--host', 'a'], '--host and --login go with --format netrc'],
    [['--format', 'header', '--login', 'a'], '--host and --login go with --format netrc'],
    [['--format', 'netrc'], '--format netrc needs --host'],
    [['--format', 'netrc', '--host', 'a b'], '--host takes the name of a machine'],
    [['--format', 'netrc', '--host', 'a', '--login', 'a b'], '--login takes'],
  ])('%j is not right, and nothing is fetched', async (flags, words) => {
    const { url, requests } = await fakeVault({ getToken: () => token() })
    const { exitCode, stdout, stderr } = await run(['token', 'a', ...flags], { url })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(words)
    expect(requests).toEqual([])
  })
})

test.each([
  [['token', 'google-oauth'], 'Run `authconn authorize google-oauth`.'],
  [['token', '--name', 'google-oauth'], 'Run `authconn authorize google-oauth`.'],
  [['token', '$(reboot)'], 'Run `authconn authorize NAME`.'],
])('%j: the hint names the connection, where it can be one', async (argv, hint) => {
  const { url } = await fakeVault({
    getToken: () => {
      throw new Problem('grant_pending', 'not yet')
    },
  })
  expect((await run(argv, { url })).stderr).toContain(hint)
  expect(JSON.parse((await run([...argv, '--json'], { url })).stderr)).toMatchObject({ hint })
})

test('run says what to do for the connection that it is about, and what was probably meant', async () => {
  const { url } = await fakeVault({
    getToken({ params }) {
      if (params.name === 'gh') throw new Problem('grant_expired', 'It is over.')
      throw new Problem('connection_not_found', 'There is no such connection')
    },
    listConnections: () => ({ connections: [connection()], next: null }),
  })
  const ended = await run(['run', '--token', 'A=gh', '--', 'true'], { url })
  expect(ended).toMatchObject({ exitCode: 5, stderr: expect.stringContaining('authconn authorize gh') })
  const mistyped = await run(['run', '--token', 'A=gogle-oauth', '--', 'true'], { url })
  expect(mistyped).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('Did you mean google-oauth?') })
})
