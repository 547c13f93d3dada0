import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection } from './support/samples.ts'

const flags = ['--provider-url', 'https://accounts.google.com', '--client-id', 'client-1']

function vault() {
  return fakeVault({ createConnection: () => connection({ status: 'pending', scope: null, expires_at: null }) })
}

async function file(content: string | Buffer): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'secret'), content)
  return join(directory, 'secret')
}

test('sends what the flags say and nothing else', async () => {
  const { url, requests } = await vault()
  const argv = ['create', '--name', 'google-oauth', '--type', 'TYPE_OAUTH2', ...flags, '--client-secret', 'canary']
  const { exitCode, stdout, stderr } = await run([...argv, '--issuer-url', 'https://accounts.google.com'], { url })
  expect(exitCode).toBe(0)
  expect(requests[0]?.body).toEqual({
    name: 'google-oauth',
    type: 'TYPE_OAUTH2',
    provider_url: 'https://accounts.google.com',
    issuer_url: 'https://accounts.google.com',
    client_id: 'client-1',
    client_secret: 'canary',
  })
  expect(stdout).toContain('Created google-oauth.')
  expect(stderr).toContain('shell history')
  expect(stderr).toContain('authconn authorize google-oauth')
  expect(stdout + stderr).not.toContain('canary')
})

test('sends the name of a known provider, with what its URLs hold, in the place of a URL', async () => {
  const registration = {
    url: 'https://console.example',
    redirect_uri: 'http://localhost:8080/callback',
    note: 'No IP.',
  }
  const { url, requests } = await fakeVault({ createConnection: () => connection({ name: 'crm', registration }) })
  const known = ['--provider', 'salesforce', '--subdomain', 'acme.my', '--client-id', 'c']
  const { exitCode, stderr } = await run(['create', 'crm', ...known, '--client-secret', '-'], { url, stdin: 's' })
  expect(exitCode, stderr).toBe(0)
  expect(requests[0]?.body).toEqual({
    name: 'crm',
    type: 'TYPE_OAUTH2',
    provider: 'salesforce',
    subdomain: 'acme.my',
    client_id: 'c',
    client_secret: 's',
  })
  expect(stderr).toContain('register the redirect URI http://localhost:8080/callback at https://console.example')
  expect(stderr).toContain('authconn authorize crm\n')
  expect(stderr).toContain('No IP.')
})

test('sends nobody to authorize whose provider takes https redirect URIs only', async () => {
  const registration = { url: 'https://console.example', redirect_uri: 'https://YOUR-HOST/callback', note: null }
  const { url } = await fakeVault({ createConnection: () => connection({ name: 'chat', registration }) })
  const known = ['--provider', 'slack', '--client-id', 'c', '--client-secret', '-']
  const { stderr } = await run(['create', 'chat', ...known], { url, stdin: 's' })
  expect(stderr).not.toContain('authconn authorize chat')
  expect(stderr).toContain('authconn authorize cannot catch the browser there')
  expect(stderr).toContain('AUTHCONN_ALLOWED_REDIRECT_URIS')
})

test('takes the name of a provider or its URL, not both', async () => {
  const { exitCode, stderr } = await run(['create', 'a', ...flags, '--provider', 'google', '--client-secret', '-'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('Give --provider or --provider-url, not both.')
})

test('sends explicit endpoints under their names', async () => {
  const { url, requests } = await vault()
  const endpoints = {
    authorization_endpoint: 'https://a.example/1',
    token_endpoint: 'https://a.example/2',
    revocation_endpoint: 'https://a.example/3',
    introspection_endpoint: 'https://a.example/4',
    userinfo_endpoint: 'https://a.example/5',
    jwks_uri: 'https://a.example/6',
  }
  const extra = Object.entries(endpoints).flatMap(([name, value]) => [`--${name.replaceAll('_', '-')}`, value])
  const given = [...flags, '--client-secret', '-', '--client-auth', 'client_secret_post']
  const { exitCode } = await run(['create', 'a', ...given, ...extra], { url, stdin: 's' })
  expect(exitCode).toBe(0)
  const method = { token_endpoint_auth_method: 'client_secret_post' }
  expect(requests[0]?.body).toMatchObject({ name: 'a', client_secret: 's', ...method, ...endpoints })
})

describe('a private key in the place of a secret', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----'
  const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'

  test('is sent with what belongs to it, and nothing is asked or shown of it', async () => {
    const { url, requests } = await vault()
    const [key, cert] = [await file(`${pem}\n`), await file(certificate)]
    const of = ['--client-auth', 'tls_client_auth', '--private-key-file', key, '--client-cert-file', cert]
    const argv = ['create', 'a', ...flags, ...of, '--key-id', 'k 1', '--key-alg', 'PS256']
    const { exitCode, stdout, stderr } = await run(argv, { url })
    expect(exitCode, stderr).toBe(0)
    expect(requests[0]?.body).toEqual({
      name: 'a',
      type: 'TYPE_OAUTH2',
      provider_url: 'https://accounts.google.com',
      client_id: 'client-1',
      client_key: { private_key: pem, key_id: 'k 1', algorithm: 'PS256', certificate },
      token_endpoint_auth_method: 'tls_client_auth',
    })
    expect(stdout + stderr).not.toContain('canary')
  })

  test.each([
    [['--client-auth', 'private_key_jwt'], 'private_key_jwt needs a private key: add --private-key-file.'],
    [['--client-secret', '-', '--key-id', 'k'], '--key-id goes with a private key'],
    [['--client-secret', '-', '--client-cert-file', 'x'], '--client-cert-file goes with a private key'],
    [['--client-secret', '-', '--private-key-file', 'x'], 'not both'],
    [['--private-key-file', '/nonexistent/key'], 'The private key cannot be read: ENOENT'],
  ])('%j is a mistake: %s', async (extra, words) => {
    const { exitCode, stderr } = await run(['create', 'a', ...flags, ...extra], { stdin: 's' })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
  })

  test('that is no PEM is not sent, and not shown', async () => {
    const { url, requests } = await vault()
    const argv = ['create', 'a', ...flags, '--private-key-file', await file('canary')]
    const { exitCode, stderr } = await run(argv, { url })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('holds no private key in PEM')
    expect(stderr).not.toContain('canary')
    expect(requests).toEqual([])
  })
})

describe('the client secret', () => {
  test.each([
    ['--client-secret', '-'],
    ['--client-secret-file', '-'],
  ])('comes from standard input by %s %s, without one line break and without a warning', async (flag, value) => {
    const { url, requests } = await vault()
    const { exitCode, stderr } = await run(['create', 'a', ...flags, flag, value], { url, stdin: ' s3cret \n\n' })
    expect(exitCode).toBe(0)
    expect(requests[0]?.body).toMatchObject({ client_secret: ' s3cret \n' })
    expect(stderr).not.toContain('Warning')
  })

  test('comes from a file, as Windows writes it too', async () => {
    const { url, requests } = await vault()
    const path = await file('\ufeffs3cret\r\n')
    expect((await run(['create', 'a', ...flags, '--client-secret-file', path], { url })).exitCode).toBe(0)
    expect(requests[0]?.body).toMatchObject({ client_secret: 's3cret' })
  })

  test.each([
    ['an empty file', '', 'it is empty'],
    ['a line break', '\n', 'it is empty'],
    ['bytes that are not text', Buffer.from([0x63, 0xff, 0xfe]), 'not text in UTF-8'],
    ['far more than a secret', 'canary'.repeat(20_000), 'more than a client secret can be'],
  ])('cannot be %s', async (_, content, words) => {
    const path = await file(content)
    const { exitCode, stderr } = await run(['create', 'a', ...flags, '--client-secret-file', path])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
    expect(stderr).toContain(path)
    expect(stderr).not.toContain('canary')
  })

  test.each(['/nonexistent/secret', tmpdir()])('cannot be read from %s, and that is said', async (path) => {
    const { exitCode, stderr } = await run(['create', 'a', ...flags, '--client-secret-file', path])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/cannot be read: E(NOENT|ISDIR)/)
  })

  test.each([
    ['--client-secret', ''],
    ['--client-secret', '-'],
  ])('cannot be empty in %s %j', async (flag, value) => {
    const { exitCode, stderr } = await run(['create', 'a', ...flags, flag, value], { stdin: '' })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('it is empty')
  })
})

test('tells what the vault does not accept, field by field', async () => {
  const { url } = await fakeVault({
    createConnection: () => {
      throw new Problem('invalid_request', 'The body is not valid', {
        errors: [{ pointer: 'body/name', detail: 'must match the pattern' }],
      })
    },
  })
  const argv = ['create', 'Bad_Name', ...flags, '--client-secret', '-']
  const words = await run(argv, { url, stdin: 's' })
  expect(words.exitCode).toBe(2)
  expect(words.stderr).toContain('- body/name: must match the pattern')
  expect(words.stderr).toContain('Request id: req-1')
  const json = await run([...argv, '--json'], { url, stdin: 's' })
  expect(JSON.parse(json.stderr)).toMatchObject({
    code: 'invalid_request',
    status: 400,
    request_id: 'req-1',
    errors: [{ pointer: 'body/name', detail: 'must match the pattern' }],
  })
})
