import { describe, expect, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection, grant } from './support/samples.ts'

describe('list', () => {
  const expiring = new Date(Date.now() + 59.5 * 60_000).toISOString()
  const all = [
    connection({ name: 'a', expires_at: expiring }),
    connection({ name: 'b', provider: null, provider_url: 'https://id.acme.example/x', status: 'pending' }),
    connection({
      name: 'c',
      expires_at: null,
      refreshable: false,
      last_error: { code: 'provider_unavailable', detail: 'd', at: '2026-01-01T00:00:00.000Z' },
    }),
  ]

  test('prints a table, following pages', async () => {
    const { url, requests } = await fakeVault({
      listConnections: ({ query }) =>
        query.after === undefined
          ? { connections: all.slice(0, 2), next: 'b' }
          : { connections: all.slice(2), next: null },
    })
    const { exitCode, stdout } = await run(['list'], { url })
    expect(exitCode).toBe(0)
    expect(requests.map(({ query }) => query.after)).toEqual([undefined, 'b'])
    expect(stdout.split('\n')).toEqual([
      'NAME  PROVIDER         STATUS   EXPIRES IN  REFRESH  LAST ERROR',
      'a     google           active   59 min      yes      -',
      'b     id.acme.example  pending  -           -        -',
      'c     google           active   no end      no       provider_unavailable',
      '',
    ])
  })

  test('prints all as JSON', async () => {
    const { url } = await fakeVault({ listConnections: () => ({ connections: all, next: null }) })
    expect(JSON.parse((await run(['--json', 'list'], { url })).stdout)).toEqual({ connections: all })
  })

  test('says when there are none, and what to type', async () => {
    const { url } = await fakeVault({ listConnections: () => ({ connections: [], next: null }) })
    const { stdout, stderr } = await run(['list'], { url })
    expect({ stdout, stderr }).toEqual({
      stdout: 'There are no connections yet.\n',
      stderr: 'Next: authconn create\n',
    })
  })

  test('does not follow pages for ever', async () => {
    const { url, requests } = await fakeVault({ listConnections: () => ({ connections: [], next: 'again' }) })
    expect((await run(['list'], { url })).exitCode).toBe(7)
    expect(requests).toHaveLength(2)
  })

  test('lets no text of a connection steer the terminal', async () => {
    const evil = connection({ provider: '\u001b]0;owned\u0007\u009b31m\u202e' })
    const { url } = await fakeVault({ listConnections: () => ({ connections: [evil], next: null }) })
    for (const flags of [[], ['--json']]) {
      expect((await run(['list', ...flags], { url })).stdout).not.toMatch(/[\u001b\u0007\u009b\u202e]/)
    }
  })
})

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

describe('token', () => {
  const token = { access_token: 'at-1', token_type: 'Bearer', expires_at: '2030-01-01T00:00:00.000Z' }

  test('prints the access token and a line break, and nothing on stderr', async () => {
    const { url } = await fakeVault({ getToken: () => token })
    expect(await run(['token', 'a'], { url })).toEqual({ exitCode: 0, stdout: 'at-1\n', stderr: '' })
    expect(JSON.parse((await run(['token', 'a', '--json'], { url })).stdout)).toEqual(token)
  })

  test.each([
    ['connection_not_found', 4],
    ['grant_pending', 5],
    ['grant_expired', 5],
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

describe('revoke', () => {
  test.each([
    ['revoked', 'revoked at the provider too'],
    ['retrying', 'goes on trying. the provider is down'],
    ['unsupported', 'takes no revocations'],
    ['nothing_to_revoke', 'nothing to revoke'],
  ] as const)('tells what became of it at the provider: %s', async (upstream, words) => {
    const detail = upstream === 'retrying' ? 'the provider is down' : null
    const { url, requests } = await fakeVault({
      revokeGrant: () => ({ connection: 'a', subject: 's', status: 'revoked', upstream, detail }),
    })
    const { exitCode, stdout, stderr } = await run(['revoke', 'a', '--subject', 's'], { url })
    expect(exitCode).toBe(0)
    expect(stdout).toContain(words)
    expect(stderr).toContain('authconn authorize a --subject s')
    expect(requests[0]?.body).toEqual({ subject: 's' })
  })
})

test('delete tells each revocation', async () => {
  const { url } = await fakeVault({
    deleteConnection: () => ({
      name: 'a',
      revocations: [{ connection: 'a', subject: null, status: 'revoked', upstream: 'revoked', detail: null }],
    }),
  })
  const { stdout } = await run(['delete', 'a', '--yes'], { url })
  expect(stdout).toBe('Deleted a.\nRevoked a. It is revoked at the provider too.\n')
})

test('providers prints a table', async () => {
  const provider = {
    id: 'google',
    name: 'Google',
    provider_url: 'https://accounts.google.com',
    issuer_url: null,
    documentation: 'https://developers.google.com',
  }
  const { url } = await fakeVault({ listProviders: () => ({ providers: [provider] }) })
  expect((await run(['providers'], { url })).stdout).toBe(
    'ID      NAME    PROVIDER URL                 ISSUER URL\ngoogle  Google  https://accounts.google.com  -\n',
  )
  expect(JSON.parse((await run(['providers', '--json'], { url })).stdout)).toEqual({ providers: [provider] })
})

test('an interrupted command ends with 130', async () => {
  const { begin } = await import('./support/run.ts')
  const { url, requests } = await fakeVault({ listConnections: () => new Promise(() => {}) })
  const running = begin(['list'], { url })
  await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(1)
  running.interrupt()
  expect(await running.exitCode).toBe(130)
  expect(running.stderr()).toContain('[interrupted]')
})
