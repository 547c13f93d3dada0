import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { begin, run } from './support/run.ts'
import { connection, grant, started } from './support/samples.ts'

const pem = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n'

function fileOf(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'authconn-grant-type-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'file'), content)
  return join(directory, 'file')
}

async function created(...flags: string[]) {
  const vault = await fakeVault({ createConnection: () => connection({ grant_type: 'client_credentials' }) })
  const answer = await run(['create', 'robot', ...flags], { url: vault.url })
  return { ...answer, body: vault.requests[0]?.body }
}

describe('create', () => {
  const google = {
    client_email: 'robot@p.iam.gserviceaccount.com',
    private_key: pem,
    private_key_id: 'k1',
    client_id: '123',
    token_uri: 'https://oauth2.googleapis.com/token',
  }

  test('takes everything of a Google service account from its key file', async () => {
    const file = fileOf(JSON.stringify(google))
    const { body, exitCode, stderr } = await created('--service-account-file', file, '--scopes', 'a,b')
    expect(exitCode, stderr).toBe(0)
    expect(body).toEqual({
      name: 'robot',
      type: 'TYPE_OAUTH2',
      provider: 'google',
      client_id: '123',
      client_key: { private_key: pem, key_id: 'k1' },
      grant_type: 'jwt_bearer',
      scopes: ['a', 'b'],
      assertion: { issuer: 'robot@p.iam.gserviceaccount.com' },
    })
    expect(stderr).toContain('Next: authconn token')
  })

  test('for assertions wants a key, also where a secret is given', async () => {
    const { url, requests } = await fakeVault({})
    const flags = ['--provider-url', 'https://p.example', '--client-id', 'c', '--grant-type', 'jwt_bearer']
    for (const source of [[], ['--client-secret', '-']]) {
      const { exitCode, stderr } = await run(['create', 'd', ...flags, ...source], { url, stdin: 'secret' })
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('Missing: --private-key-file.'),
      })
    }
    expect(requests).toEqual([])
  })

  test('passes on what client credentials are asked for with', async () => {
    const { body } = await created(
      ...['--provider-url', 'https://a.example', '--client-id', 'c', '--client-secret-file', fileOf('s')],
      ...['--grant-type', 'client_credentials', '--audience', 'https://api.example'],
      ...['--resource', 'https://api.example/a', '--resource', 'https://api.example/b'],
    )
    expect(body).toMatchObject({
      grant_type: 'client_credentials',
      audience: 'https://api.example',
      resource: ['https://api.example/a', 'https://api.example/b'],
    })
    expect(body).not.toHaveProperty('assertion')
  })

  test.each([
    [['--service-account-file', 'GOOGLE', '--client-secret', 'x'], 'give no other key or secret'],
    [['--service-account-file', 'GOOGLE', '--grant-type', 'client_credentials'], 'is for --grant-type jwt_bearer'],
    [['--service-account-file', 'OTHER'], 'is no key of a service account'],
    [['--scopes', 'a', '--provider', 'google', '--client-id', 'c', '--client-secret-file', 'OTHER'], '--scopes'],
    [
      ['--assertion-subject', 'a', '--provider', 'google', '--client-id', 'c', '--client-secret-file', 'OTHER'],
      'goes with --grant-type jwt_bearer',
    ],
    [['--grant-type', 'jwt_bearer', '--provider', 'google', '--client-id', 'c'], 'Missing: --private-key-file'],
  ])('refuses %j before it asks the vault', async (flags, words) => {
    const files: Record<string, string> = {
      GOOGLE: fileOf(JSON.stringify(google)),
      OTHER: fileOf('{"secret": "hush"}'),
    }
    const { exitCode, stderr, body } = await created(...flags.map((flag) => files[flag] ?? flag))
    expect({ exitCode, body }).toEqual({ exitCode: 2, body: undefined })
    expect(stderr).toContain(words)
    expect(stderr).not.toContain('hush')
  })
})

describe('authorize', () => {
  test('of a connection that needs nobody to consent fetches at once', async () => {
    const vault = await fakeVault({
      getConnection: () => connection({ grant_type: 'jwt_bearer' }),
      createGrant: () => grant({ subject: 'ann' }),
    })
    const { exitCode, stdout } = await run(['authorize', 'robot', '--subject', 'ann', '--json'], {
      url: vault.url,
    })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ connection: 'robot', subject: 'ann', grant: { status: 'active' } })
    expect(vault.requests.map(({ operation, body }) => [operation, body])).toEqual([
      ['getConnection', undefined],
      ['createGrant', { subject: 'ann' }],
    ])
    const refused = await run(['authorize', 'robot', '--scopes', 'a'], { url: vault.url })
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('leave out --scopes') })
  })

  test('does so with a key that may authorize, and not look', async () => {
    const vault = await fakeVault({
      getConnection() {
        throw new Problem('permission_denied', 'It may not.')
      },
      startAuthorization() {
        throw new Problem('grant_type_mismatch', 'It needs nobody.')
      },
      createGrant: () => grant(),
    })
    const { exitCode, stderr } = await run(['authorize', 'robot', '--port', '0'], { url: vault.url })
    expect(exitCode, stderr).toBe(0)
    expect(vault.requests.at(-1)).toMatchObject({ operation: 'createGrant', body: {} })
  })

  test.each([
    [['--device', '--redirect-host', 'localhost'], 'With --device'],
    [['--device', '--paste'], 'With --device'],
    [['--device', '--port', '9'], 'With --device'],
    [['--redirect-uri', 'https://a.example/c', '--paste', '--port', '9'], '--port'],
    [['--redirect-uri', 'https://a.example/c', '--redirect-host', 'localhost'], 'exclude each other'],
    [['--redirect-uri', 'http://127.0.0.1:1/c', '--paste'], 'takes an https address'],
    [['--redirect-uri', 'https://a.example/c'], 'has to be pasted'],
  ])('refuses %j', async (flags, words) => {
    const { url, requests } = await fakeVault({})
    const { exitCode, stderr } = await run(['authorize', 'acme', ...flags], { url })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(words)
    expect(requests).toEqual([])
  })

  test('with an https redirect URI listens nowhere, and takes the address that is pasted', async () => {
    const redirectUri = 'https://acme.example/callback'
    const { authorization_url: _, state: __, ...authorization } = started({ redirect_uri: redirectUri })
    const vault = await fakeVault({
      startAuthorization: () => started({ redirect_uri: redirectUri }),
      completeAuthorization: () => ({ ...authorization, status: 'completed', grant: grant() }),
    })
    const running = begin(['authorize', 'acme', '--redirect-uri', redirectUri, '--paste', '--no-browser'], {
      url: vault.url,
    })
    await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain('paste it here')
    running.stdin.write('https://elsewhere.example/callback?code=c&state=st-4te\n')
    await expect.poll(() => running.stderr()).toContain('Still waiting')
    running.stdin.write(`${redirectUri}?code=c&state=st-4te\n`)
    expect(await running.exitCode).toBe(0)
    expect(vault.requests.map(({ body }) => body)).toMatchObject([
      { redirect_uri: redirectUri },
      { redirected_url: `${redirectUri}?code=c&state=st-4te` },
    ])
  })
})

describe('authorize --device', () => {
  const code = {
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://acme.example/device',
    verification_uri_complete: null,
  }
  const { authorization_url: _url, state: _state, ...pending } = started({ redirect_uri: null })
  const begun = () => ({ ...pending, ...code })

  test('shows the code and where it goes, and no control character of them', async () => {
    const vault = await fakeVault({
      startDeviceAuthorization: () => ({ ...begun(), user_code: 'A\u001b[31mB' }),
      getAuthorization: () => ({ ...pending, status: 'completed' }),
      listGrants: () => ({ grants: [grant()], next: null }),
    })
    const { exitCode, stderr, stdout } = await run(['authorize', 'tv', '--device', '--no-browser'], {
      url: vault.url,
    })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('https://acme.example/device')
    expect(stderr).not.toContain('\u001b[31m')
    expect(stdout).toContain('Authorized google-oauth.')
  })

  test.each([
    ['failed', 'authorization_denied', 'authorization_denied'],
    ['failed', 'a_code_of_tomorrow', 'authorization_over'],
    ['expired', null, 'authorization_over'],
  ] as const)('ends as the vault says: %s, %s', async (status, failureCode, code) => {
    const vault = await fakeVault({
      startDeviceAuthorization: begun,
      getAuthorization: () => ({ ...pending, status, failure: 'why it did', failure_code: failureCode }),
    })
    const running = await run(['authorize', 'tv', '--device', '--no-browser', '--json'], { url: vault.url })
    expect(running.exitCode).toBe(8)
    expect(running.stderr).toContain(`"code":"${code}"`)
    // There is nothing left to cancel.
    expect(vault.requests.map(({ operation }) => operation)).not.toContain('cancelAuthorization')
  })

  test('goes on while the vault is restarted, and cancels nothing', async () => {
    let asked = 0
    const vault = await fakeVault({
      startDeviceAuthorization: begun,
      getAuthorization({ hangUp }) {
        asked += 1
        if (asked === 1) throw new Problem('not_ready', 'It is stopping.')
        return asked === 2 ? hangUp() : { ...pending, status: 'completed' }
      },
      listGrants: () => ({ grants: [grant()], next: null }),
    })
    const { exitCode, stderr } = await run(['authorize', 'tv', '--device', '--no-browser'], { url: vault.url })
    expect(exitCode).toBe(0)
    // Told once, however often it is asked in vain.
    expect(stderr.match(/Trying again/g)).toHaveLength(1)
    expect(stderr).toContain('It is stopping. Trying again.')
    expect(vault.requests.map(({ operation }) => operation)).not.toContain('cancelAuthorization')
  })

  test('ends with what the vault is away for, when it is away for longer than was to be waited', async () => {
    const vault = await fakeVault({
      startDeviceAuthorization: begun,
      getAuthorization() {
        throw new Problem('not_ready', 'It is stopping.')
      },
      cancelAuthorization: () => ({ ...pending, status: 'failed' }),
    })
    const { exitCode, stderr } = await run(
      ['authorize', 'tv', '--device', '--no-browser', '--timeout', '1', '--json'],
      { url: vault.url },
    )
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 7, stderr: expect.stringContaining('not_ready') })
    expect(vault.requests.at(-1)?.operation).toBe('cancelAuthorization')
  })

  test('sends no browser to what is no web address', async () => {
    const vault = await fakeVault({
      startDeviceAuthorization: () => ({ ...begun(), verification_uri: 'file:///etc/passwd' }),
      cancelAuthorization: () => ({ ...pending, status: 'failed' }),
    })
    const { stderr } = await run(['authorize', 'tv', '--device', '--json'], { url: vault.url })
    expect(stderr).toContain('vault_answer_invalid')
    expect(vault.requests.map(({ operation }) => operation)).toContain('cancelAuthorization')
  })

  test('that nobody answers in time is cancelled', async () => {
    const vault = await fakeVault({
      startDeviceAuthorization: begun,
      getAuthorization: () => pending,
      cancelAuthorization: () => ({ ...pending, status: 'failed' }),
    })
    const { exitCode, stderr } = await run(
      ['authorize', 'tv', '--device', '--no-browser', '--timeout', '1', '--json'],
      { url: vault.url },
    )
    expect(exitCode).toBe(8)
    expect(stderr).toContain('authorization_timeout')
    expect(vault.requests.at(-1)?.operation).toBe('cancelAuthorization')
  })

  test('tells of a provider without device codes as the vault does', async () => {
    const vault = await fakeVault({
      startDeviceAuthorization() {
        throw new Problem('device_authorization_unsupported', 'It has none.')
      },
    })
    const { exitCode, stderr } = await run(['authorize', 'tv', '--device'], { url: vault.url })
    expect(exitCode).toBe(5)
    expect(stderr).toContain('--device-authorization-endpoint')
  })
})
