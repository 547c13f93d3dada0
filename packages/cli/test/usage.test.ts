import { permissionNames } from '@authconn/shared/permissions'
import { describe, expect, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection, token } from './support/samples.ts'

describe('a command line that is not right ends with 2 and says what is meant', () => {
  test.each([
    [['lst'], "Unknown command 'lst' (Did you mean list?)"],
    [['list', '--jso'], "Unknown option '--jso' (Did you mean --json?)"],
    [
      ['create', '--client-secret-fil', 'x'],
      "Unknown option '--client-secret-fil' (Did you mean --client-secret-file?)",
    ],
    [['workspace', 'authconnection', 'creat'], '(Did you mean create?)'],
    [['workspace', 'authconnections'], '(Did you mean authconnection?)'],
    [['help', 'lst'], '(Did you mean list?)'],
    [['caller', 'list'], '(Did you mean callers?)'],
    [['callers', 'lst'], '(Did you mean list?)'],
    [['callers', 'list', 'ci'], 'too many arguments'],
    [['audit', 'verfy'], '(Did you mean verify?)'],
    [['help', 'callers', 'rotat'], '(Did you mean rotate?)'],
    [['create', '--name'], "'--name <NAME>' argument missing"],
    [['get', 'a', 'b'], 'too many arguments'],
    [['get', 'a', '--name', 'b'], 'two different names'],
    [['get'], 'The name of the connection is missing'],
    [['token'], 'The name of the connection is missing'],
    [['revoke'], 'The name of the connection is missing'],
    [['authorize'], 'The name of the connection is missing'],
    [['delete', 'a'], '--yes'],
    [['token', 'a', '--min-ttl', '10 min'], '--min-ttl takes a time from 0 s to 24 h, such as 90s, 10m, 1h or 2d'],
    [['token', 'a', '--min-ttl', '25h'], '--min-ttl takes a time from 0 s to 24 h'],
    [['update', '--overlap', '31d', 'a'], '--overlap takes a time from 0 s to 30 days'],
    [['update'], 'Nothing to change: add --client-secret-file, --private-key-file or --client-auth'],
    [['update', 'a'], 'Nothing to change'],
    [['update', '--client-secret', '-'], 'The name of the connection is missing'],
    [['update', 'a', '--overlap', '7d'], '--overlap goes with a new client secret'],
    [
      ['update', 'a', '--overlap', '7d', '--client-auth', 'client_secret_post'],
      '--overlap goes with a new client secret',
    ],
    [['update', 'a', '--client-auth', 'none'], 'client_secret_basic, client_secret_post'],
    [['create'], 'Missing: --name, --provider or --provider-url, --client-id, --client-secret-file.'],
    [['create', 'a', '--client-id', 'x', '--client-secret-file', 'y'], 'Missing: --provider or --provider-url.'],
    [['create', '--type', 'TYPE_SAML'], '--type is one of TYPE_OAUTH2'],
    [['create', '--client-auth', 'none'], 'client_secret_basic, client_secret_post'],
    [['authorize', 'a', '--port', '65536'], '--port takes a whole number from 0 to 65535'],
    [['authorize', 'a', '--port', '8o80'], '--port takes a whole number'],
    [['authorize', 'a', '--timeout', '0'], '--timeout takes a whole number from 1 to 3600'],
    [['authorize', 'a', '--redirect-host', '0.0.0.0'], '--redirect-host is one of 127.0.0.1, localhost, ::1'],
  ])('%j', async (argv, words) => {
    const { exitCode, stdout, stderr } = await run(argv)
    expect(stderr).toContain(words)
    expect(stderr).toContain('[usage]')
    expect(stderr).not.toMatch(/^\s+at /m)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })

  test.each([[['list', '--jsn', '--json']], [['lst', '--json']], [['--json']], [['create', '--json']]])(
    'and as JSON: %j',
    async (argv) => {
      const { exitCode, stdout, stderr } = await run(argv)
      expect(JSON.parse(stderr)).toMatchObject({ code: 'usage', exit_code: 2, hint: expect.any(String) })
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    },
  )

  test.each([
    [['create', '--client-secrt=canary']],
    [['create', '--client-secret', 'half', 'a', 'canary']],
    [['create', 'a', '-scanary']],
    [['create', '--client-secret', 'canary', '--client-secret-file', 'f']],
    [['update', 'a', '--client-secret', 'canary', '--client-secret-file', 'f']],
    [['update', 'a', '--client-secret', 'half', 'a', 'canary']],
    [['canary-s3cret']],
    [['workspace', 'canary-s3cret']],
    [['workspace', 'authconnection', 'canary-s3cret']],
    [['help', 'canary-s3cret']],
    [['list', 'canary-s3cret']],
    [['callers', 'canary-s3cret']],
    [['callers', 'revoke', 'ci', 'canary-s3cret']],
  ])('without repeating what may be a secret: %j', async (argv) => {
    const { exitCode, stderr } = await run(argv)
    expect(exitCode).toBe(2)
    expect(stderr).not.toContain('canary')
  })
})

/** Not about connections, and so not in the long form. */
const ofItsOwn = ['login', 'logout', 'whoami', 'providers', 'doctor', 'completion', 'version', 'help']

describe('help', () => {
  test('is shown, with exit code 2, when no command is named', async () => {
    const { exitCode, stdout, stderr } = await run([])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('Usage: authconn')
  })

  test('lists the commands, the environment and the exit codes', async () => {
    const { exitCode, stdout } = await run(['--help'])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ {2}authorize +Authorize/m)
    expect(stdout).toMatch(/^ {2}AUTHCONN_API_KEY /m)
    expect(stdout).toMatch(/^ {2}130 +interrupted/m)
  })

  test.each([
    'create',
    'authorize',
    'list',
    'get',
    'token',
    'update',
    'revoke',
    'delete',
    'login',
    'logout',
    'whoami',
    'providers',
    'open',
    'doctor',
    'completion',
    'version',
    'help',
  ])('of %s has examples, by --help, by the help command and in the long form', async (name) => {
    const byFlag = await run([name, '--help'])
    expect(byFlag.exitCode).toBe(0)
    expect(byFlag.stdout).toContain(`Examples:\n  $ `)
    expect(byFlag.stdout).toMatch(/^Exit codes:\n {2}0 +\w/m)
    expect((await run(['help', name])).stdout).toBe(byFlag.stdout)
    const long = await run(['workspace', 'authconnection', name, '--help'])
    if (ofItsOwn.includes(name)) return
    expect(long.stdout).toContain(`Usage: authconn workspace authconnection ${name}`)
  })
})

describe('a group of commands', () => {
  const groups = {
    callers: ['create', 'list', 'rotate', 'revoke'],
    audit: ['list', 'verify'],
    workspaces: ['create', 'list'],
    profiles: ['list', 'use'],
  }

  test.each(Object.entries(groups))('%s lists its commands in its help', async (group, names) => {
    const byFlag = await run([group, '--help'])
    expect(byFlag.exitCode).toBe(0)
    expect(byFlag.stdout).toContain(`Usage: authconn ${group} [options] [command]`)
    for (const name of names) expect(byFlag.stdout).toMatch(new RegExp(`^ {2}${name} +\\w`, 'm'))
    expect((await run(['help', group])).stdout).toBe(byFlag.stdout)
    expect((await run(['--help'])).stdout).toMatch(new RegExp(`^ {2}${group} +\\w`, 'm'))
  })

  test.each(Object.keys(groups))('%s alone shows that help, with exit code 2', async (group) => {
    const { exitCode, stdout, stderr } = await run([group])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(`Usage: authconn ${group}`)
    expect(JSON.parse((await run([group, '--json'])).stderr)).toMatchObject({ code: 'usage' })
  })

  test.each(Object.entries(groups).flatMap(([group, names]) => names.map((name) => [group, name])))(
    'has help of %s %s with examples',
    async (...names) => {
      const byFlag = await run([...names, '--help'])
      expect(byFlag.exitCode).toBe(0)
      expect(byFlag.stdout).toContain(`Usage: authconn ${names.join(' ')} `)
      expect(byFlag.stdout).toContain(`Examples:\n  $ authconn ${names.join(' ')}`)
      expect((await run(['help', ...names])).stdout).toBe(byFlag.stdout)
    },
  )

  test('tells in the help of doctor what the usual errors are', async () => {
    const { stdout } = await run(['doctor', '--help'])
    for (const error of ['invalid_client', 'redirect_uri_mismatch', 'invalid_scope', 'invalid_grant']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${error} +[A-Z]`, 'm'))
    }
  })

  test('tells in the help of callers create what each permission is', async () => {
    const { stdout } = await run(['callers', 'create', '--help'])
    for (const name of permissionNames) expect(stdout).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, 'm'))
  })

  test('keeps its commands apart from those of the same name', async () => {
    const { url, requests } = await fakeVault({
      listConnections: () => ({ connections: [], next: null }),
      listCallers: () => ({ callers: [], next: null }),
      getConnection: () => connection(),
    })
    await run(['list'], { url })
    await run(['callers', 'list'], { url })
    await run(['--json', 'callers', 'list'], { url })
    await run(['get', 'callers'], { url })
    await run(['get', '--name', 'list'], { url })
    expect(requests.map(({ operation }) => operation)).toEqual([
      'listConnections',
      'listCallers',
      'listCallers',
      'getConnection',
      'getConnection',
    ])
  })
})

test('every command of the long form takes the same flags', async () => {
  const { url, requests } = await fakeVault({
    getToken: () => token(),
  })
  const { stdout } = await run(
    ['workspace', 'authconnection', 'token', '--name', 'a', '--subject', 's', '--json'],
    { url },
  )
  expect(JSON.parse(stdout)).toMatchObject({ access_token: 'at-1' })
  expect(requests).toMatchObject([{ params: { name: 'a' }, query: { subject: 's' } }])
})

test('version prints the version, as JSON with what it runs on', async () => {
  const words = await run(['version'])
  expect(words.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(await run(['--version'])).toMatchObject({ exitCode: 0, stdout: words.stdout })
  const details = { version: words.stdout.trim(), node: process.versions.node }
  for (const argv of [
    ['version', '--json'],
    ['--version', '--json'],
    ['--json', '-V'],
  ]) {
    expect(JSON.parse((await run(argv)).stdout)).toMatchObject(details)
  }
})
