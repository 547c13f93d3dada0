import { EventEmitter } from 'node:events'
import { beforeEach, expect, test, vi } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection, provider } from './support/samples.ts'

// The real one would open a browser on the machine of whoever runs the tests.
const open = vi.hoisted(() => vi.fn())
vi.mock('open', () => ({ default: open }))
// Whether a browser would be seen where the tests run is not theirs to decide.
const here = vi.hoisted(() => ({ where: 'desktop' }))
vi.mock('../src/authorize/surroundings.ts', async (original) => ({
  ...(await original<typeof import('../src/authorize/surroundings.ts')>()),
  surroundings: () => here.where,
}))

const url = 'https://console.cloud.google.com/auth/clients'
const registration = { url, redirect_uri: 'http://127.0.0.1:8080/callback', note: 'Publish it.' }
const terminal = { columns: 80 }

const vaultWith = (changes: Parameters<typeof connection>[0] = {}) =>
  fakeVault({
    getConnection: () => connection({ registration, ...changes }),
    listProviders: () => ({ providers: [provider()] }),
  })

/** The program that opens a browser, which ends as it is told to. */
function opens(code: number) {
  open.mockImplementation(async () => {
    const opener = new EventEmitter()
    setImmediate(() => opener.emit('exit', code))
    return opener
  })
}

beforeEach(() => {
  here.where = 'desktop'
  open.mockReset()
  opens(0)
})

test('opens the console where the application of the connection is registered, and says what to enter', async () => {
  const vault = await vaultWith()
  const { exitCode, stdout, stderr } = await run(['open', 'google-oauth'], { url: vault.url, ...terminal })
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${url}\n` })
  expect(stderr).toBe('The redirect URI to register there: http://127.0.0.1:8080/callback\nPublish it.\n')
  expect(open.mock.calls).toEqual([[url]])
})

test('says why the browser did not open, and goes on', async () => {
  opens(3)
  const vault = await vaultWith()
  const { exitCode, stdout, stderr } = await run(['open', 'google-oauth'], { url: vault.url, ...terminal })
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${url}\n` })
  expect(stderr).toContain('Warning: the browser could not be opened: the program that opens it ended with 3')
})

test('does not wait for the browser to be closed', async () => {
  open.mockImplementation(async () => new EventEmitter())
  const vault = await vaultWith()
  expect((await run(['open', 'google-oauth'], { url: vault.url, ...terminal })).exitCode).toBe(0)
})

test.each([
  ['in a pipe', [], {}, 'desktop'],
  ['with --no-browser', ['--no-browser'], terminal, 'desktop'],
  ['in an SSH session', [], terminal, 'ssh'],
  ['in a container', [], terminal, 'container'],
])('%s it prints the address alone', async (_, flags, options, where) => {
  here.where = where
  const vault = await vaultWith()
  const { exitCode, stdout } = await run(['open', 'google-oauth', ...flags], { url: vault.url, ...options })
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${url}\n` })
  expect(open).not.toHaveBeenCalled()
})

test('with --json it opens nothing and tells all', async () => {
  const vault = await vaultWith()
  const { stdout } = await run(['open', 'google-oauth', '--json'], { url: vault.url, ...terminal })
  expect(JSON.parse(stdout)).toEqual({ provider: 'google', ...registration, opened: false })
  expect(open).not.toHaveBeenCalled()
})

test('knows the console of a provider before there is a connection', async () => {
  const vault = await vaultWith()
  const { stdout } = await run(['open', '--provider', 'google'], { url: vault.url })
  expect(stdout).toBe('https://console.example\n')
  expect(vault.requests.map(({ operation }) => operation)).toEqual(['listProviders'])
})

test.each([
  [['open', '--provider', 'gogle'], {}, 2, 'Did you mean google?'],
  [['open', 'google-oauth', '--provider', 'google'], {}, 2, 'and not both'],
  [['open'], {}, 2, 'The name of the connection is missing'],
  [
    ['open', 'google-oauth'],
    { registration: { ...registration, url: 'file:///etc/passwd' } },
    7,
    '[vault_answer_invalid]',
  ],
])('%j is an error for %j', async (argv, changes, code, words) => {
  const vault = await vaultWith(changes)
  const { exitCode, stdout, stderr } = await run(argv, { url: vault.url, ...terminal })
  expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' })
  expect(stderr).toContain(words)
  expect(open).not.toHaveBeenCalled()
})

test('says what to look for where the provider is not in the catalog', async () => {
  const unknown = {
    provider: null,
    provider_url: 'https://id.acme.example',
    client_id: 'client-7',
    registration: null,
  }
  const vault = await vaultWith(unknown)
  const { exitCode, stdout, stderr } = await run(['open', 'google-oauth'], { url: vault.url, ...terminal })
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  for (const words of ['console of https://id.acme.example', 'client-7', 'http://127.0.0.1:8080/callback']) {
    expect(stderr).toContain(words)
  }
  expect(open).not.toHaveBeenCalled()
})

test('leads to the console of a provider that was named where there is no connection of that name', async () => {
  const { url } = await fakeVault({
    getConnection() {
      throw new Problem('connection_not_found', 'There is no such connection')
    },
    listProviders: () => ({ providers: [provider({ id: 'google' })] }),
    listConnections: () => ({ connections: [], next: null }),
  })
  expect(await run(['open', 'google'], { url })).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('authconn open --provider google'),
  })
  expect((await run(['open', 'googel'], { url })).stderr).not.toContain('--provider')
})
