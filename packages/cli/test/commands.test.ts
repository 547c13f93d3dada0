import { describe, expect, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection, provider } from './support/samples.ts'

describe('list', () => {
  test('shows whose tokens they are, once that is known of one', async () => {
    const account = { id: '1', email: 'ann@acme.example', login: null, name: 'Ann', company: null }
    const { url } = await fakeVault({
      listConnections: () => ({ connections: [connection({ account }), connection({ name: 'b' })], next: null }),
    })
    const lines = (await run(['list'], { url })).stdout.split('\n')
    expect(lines[0]).toMatch(/NAME +PROVIDER +ACCOUNT +STATUS/)
    expect(lines[1]).toMatch(/google-oauth +google +ann@acme\.example +active/)
    expect(lines[2]).toMatch(/b +google +- +active/)
  })

  const expiring = new Date(Date.now() + 59.5 * 60_000).toISOString()
  const all = [
    connection({ name: 'a', expires_at: expiring }),
    connection({ name: 'b', provider: null, provider_url: 'https://id.acme.example/x', status: 'pending' }),
    connection({
      name: 'c',
      expires_at: null,
      refreshable: false,
      last_error: {
        code: 'provider_unavailable',
        class: 'passing',
        detail: 'd',
        at: '2026-01-01T00:00:00.000Z',
      },
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
  const google = provider()
  const { url } = await fakeVault({
    listProviders: () => ({ providers: [google, provider({ id: 'b', name: 'B' })] }),
  })
  expect((await run(['providers'], { url })).stdout).toBe(
    'NAME    PROVIDER  PROVIDER URL\ngoogle  Google    https://accounts.google.com\nb       B         https://accounts.google.com\n',
  )
  expect(JSON.parse((await run(['providers', '--json'], { url })).stdout)).toMatchObject({
    providers: [google, { id: 'b' }],
  })
})

test('providers NAME shows what is declared of one, and knows no others', async () => {
  const google = provider({ grant_types: ['client_credentials'] })
  const { url } = await fakeVault({ listProviders: () => ({ providers: [google, provider({ id: 'b' })] }) })
  const { stdout } = await run(['providers', 'google'], { url })
  for (const words of [
    /register at +https:\/\/console\.example/,
    /redirect URI +http:\/\/127\.0\.0\.1:8080\/callback/,
    /--tenant +the directory; such as contoso, by default common/,
    /usual scopes +openid email/,
    /further grants +client_credentials/,
    /scopes separated by +commas, in answers spaces/,
    /authorization parameters +access_type=offline/,
    /refresh token ends +after 180 days without use/,
    /documentation +https:\/\/developers\.google\.com \(read 2026-11-22\)/,
    /not verified there +pkce/,
  ]) {
    expect(stdout).toMatch(words)
  }
  const unknown = await run(['providers', 'gogle'], { url })
  expect(unknown.exitCode).toBe(2)
  expect(unknown.stderr).toContain('no provider "gogle"')
  expect(unknown.stderr).toContain('Did you mean google?')
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
