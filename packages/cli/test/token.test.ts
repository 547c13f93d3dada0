import { describe, expect, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { token } from './support/samples.ts'

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
      ['--min-ttl', '24h', '--force-refresh', '--subject', 's'],
      { min_ttl: '86400', force_refresh: 'true', subject: 's' },
    ],
    [['--force-refresh'], { force_refresh: 'true' }],
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
