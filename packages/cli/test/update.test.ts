import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keys, openTerminal } from './e2e/support/terminal.ts'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection } from './support/samples.ts'

const until = new Date(Date.now() + 7 * 86_400_000 - 1000).toISOString()

function vault(changes: Parameters<typeof connection>[0] = {}) {
  return fakeVault({
    getConnection: ({ params }) => {
      if (params.name === 'google-oauth') return connection(changes)
      throw new Problem('connection_not_found', `There is no connection ${params.name}.`)
    },
    updateConnection: () => connection({ former_client_secret_until: until, ...changes }),
  })
}

async function file(content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'secret'), content)
  return join(directory, 'secret')
}

test('sends the new client secret of a file, and says how long the former one is used', async () => {
  const { url, requests } = await vault()
  const path = await file('canary-new\n')
  const { exitCode, stdout, stderr } = await run(['update', 'google-oauth', '--client-secret-file', path], { url })
  expect(exitCode).toBe(0)
  expect(requests).toMatchObject([
    { operation: 'updateConnection', params: { name: 'google-oauth' }, body: { client_secret: 'canary-new' } },
  ])
  expect(stdout).toMatch(/^Updated google-oauth\.\n {2}status +active\n/)
  expect(stdout).toContain(`used where the new one is refused, until ${until} (6 days 23 h)`)
  expect(stderr).toBe('To try it now: authconn token google-oauth --refresh\n')
  expect(stdout).not.toContain('canary')
})

test.each([
  [['--client-secret', '-'], { client_secret: 's3cret' }],
  [['--client-secret-file', '-', '--overlap', '7d'], { client_secret: 's3cret', overlap: 604_800 }],
  [['--client-secret', '-', '--overlap', '0'], { client_secret: 's3cret', overlap: 0 }],
  [
    ['--client-secret', '-', '--client-auth', 'client_secret_post'],
    { client_secret: 's3cret', token_endpoint_auth_method: 'client_secret_post' },
  ],
  [['--client-auth', 'client_secret_basic'], { token_endpoint_auth_method: 'client_secret_basic' }],
])('%j sends %j and nothing else', async (flags, body) => {
  const { url, requests } = await vault()
  for (const command of [['update'], ['workspace', 'authconnection', 'update']]) {
    const argv = [...command, '--name', 'google-oauth', ...flags]
    expect((await run(argv, { url, stdin: 's3cret\n' })).exitCode).toBe(0)
  }
  expect(requests.map((request) => request.body)).toEqual([body, body])
})

test('sends a new private key, and shows which key it is', async () => {
  const client_key = {
    algorithm: 'ES256',
    key_id: 'k1',
    thumbprint: 't'.repeat(43),
    certificate_expires_at: until,
  }
  const { url, requests } = await vault({ client_key: { ...client_key, algorithm: 'ES256' } })
  const pem = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----'
  const argv = [
    'update',
    'google-oauth',
    '--private-key-file',
    await file(pem),
    '--client-auth',
    'private_key_jwt',
  ]
  const { exitCode, stdout, stderr } = await run(argv, { url })
  expect(exitCode, stderr).toBe(0)
  expect(requests.map(({ body }) => body)).toEqual([
    { client_key: { private_key: pem }, token_endpoint_auth_method: 'private_key_jwt' },
  ])
  expect(stdout).toMatch(/client key +ES256, key id k1, thumbprint t{43}; its certificate ends .*6 days 23 h/)
  expect(stdout).not.toContain('canary')
})

test('warns of a secret on the command line', async () => {
  const { url } = await vault()
  const { exitCode, stderr } = await run(['update', 'google-oauth', '--client-secret', 'canary'], { url })
  expect(exitCode).toBe(0)
  expect(stderr).toContain('shell history')
  expect(stderr).not.toContain('canary')
})

test('prints the connection as JSON', async () => {
  const { url } = await vault()
  const argv = ['update', 'google-oauth', '--client-secret', '-', '--json']
  const { stdout } = await run(argv, { url, stdin: 's3cret' })
  expect(JSON.parse(stdout)).toEqual(connection({ former_client_secret_until: until }))
})

test.each([
  [{ status: 'pending' }, 'Next: authconn authorize google-oauth\n'],
  [{ status: 'expired' }, 'Next: authconn authorize google-oauth\n'],
  [{ refreshable: false }, ''],
] as const)('tells of a connection with %j what to type next: %j', async (changes, words) => {
  const { url } = await vault(changes)
  const { stderr } = await run(['update', 'google-oauth', '--client-secret', '-'], { url, stdin: 's3cret' })
  expect(stderr).toBe(words)
})

test('a refused update is told, and shows no secret', async () => {
  const { url } = await fakeVault({
    updateConnection: () => {
      throw new Problem('permission_denied', 'needs connection:manage')
    },
  })
  const argv = ['update', 'google-oauth', '--client-secret', '-']
  const { exitCode, stdout, stderr } = await run(argv, { url, stdin: 'canary' })
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' })
  expect(stderr).toContain('needs connection:manage')
  expect(stderr).not.toContain('canary')
})

// There is no pseudo-terminal on Windows that takes these keys.
describe.skipIf(process.platform === 'win32')('in a terminal', () => {
  const envOf = (url: string) => ({ AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak_test-key' })

  test.each([
    [[], {}],
    [['--overlap', '1h'], { overlap: 3600 }],
  ])('with %j the new client secret is asked for, and not shown', async (flags, body) => {
    const { url, requests } = await vault()
    const terminal = openTerminal(['update', 'google-oauth', ...flags], envOf(url))
    await terminal.answer('New client secret of google-oauth', 'canary-new')
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).toContain('Updated google-oauth.')
    expect(terminal.shown()).toContain('*'.repeat('canary-new'.length))
    expect(terminal.shown()).not.toContain('canary')
    expect(requests.at(-1)?.body).toEqual({ client_secret: 'canary-new', ...body })
  })

  test('nothing is asked when another way to authenticate is all that is to change', async () => {
    const { url, requests } = await vault()
    const argv = ['update', 'google-oauth', '--client-auth', 'client_secret_post']
    const terminal = openTerminal(argv, envOf(url))
    expect(await terminal.exitCode).toBe(0)
    expect(requests.map(({ operation }) => operation)).toEqual(['updateConnection'])
  })

  test('a name that does not exist is told before the question', async () => {
    const { url } = await vault()
    const terminal = openTerminal(['update', 'nope'], envOf(url))
    expect(await terminal.exitCode).toBe(4)
    expect(terminal.shown()).not.toContain('New client secret')
  })

  test('nothing is changed when the question is not answered', async () => {
    const { url, requests } = await vault()
    const terminal = openTerminal(['update', 'google-oauth'], envOf(url))
    await terminal.shows('New client secret')
    terminal.type(keys.ctrlC)
    expect(await terminal.exitCode).toBe(130)
    expect(terminal.shown()).toContain('Nothing was changed')
    expect(requests.map(({ operation }) => operation)).toEqual(['getConnection'])
  })
})
