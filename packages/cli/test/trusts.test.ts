import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nextStep } from '../src/trusts/next-step.ts'
import { openTerminal } from './e2e/support/terminal.ts'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { caller, trust } from './support/samples.ts'

const self = (workspace = 'default') => ({ ...caller(), workspace })

async function create(flags: readonly string[], { workspace = 'default', preset = 'github' as const } = {}) {
  const { url, requests } = await fakeVault({
    createTrust: () => trust({ preset, audience: [url] }),
    getSelf: () => self(workspace),
  })
  return { ...(await run(['trusts', 'create', ...flags], { url })), url, body: requests.at(-1)?.body }
}

describe('trusts create', () => {
  test('binds the ids of a job of GitHub Actions, for the URL of the vault', async () => {
    const flags = ['--repository-id', '456789', '--environment', 'production', '--environment', 'staging']
    const { exitCode, body, url } = await create(['deploy', '--preset', 'github', ...flags])
    expect(exitCode).toBe(0)
    expect(body).toEqual({
      name: 'deploy',
      preset: 'github',
      issuer: 'https://token.actions.githubusercontent.com',
      audience: [url],
      claims: [
        { claim: 'repository_id', values: ['456789'] },
        { claim: 'environment', values: ['production', 'staging'] },
      ],
      permissions: ['token:read'],
    })
  })

  test.each<[string[], object]>([
    [
      ['--preset', 'gitlab', '--project-id', '4711,4712', '--ref-protected', '--ref', 'main'],
      {
        preset: 'gitlab',
        issuer: 'https://gitlab.com',
        claims: [
          { claim: 'project_id', values: ['4711', '4712'] },
          { claim: 'ref', values: ['main'] },
          { claim: 'ref_protected', values: ['true'] },
        ],
      },
    ],
    [
      ['--preset', 'gitlab', '--issuer', 'https://git.example.com', '--namespace-id', '9'],
      { issuer: 'https://git.example.com', claims: [{ claim: 'namespace_id', values: ['9'] }] },
    ],
    [
      [
        '--preset',
        'kubernetes',
        '--issuer',
        'https://k8s.example.com',
        '--namespace',
        'shop',
        '--service-account',
        'web',
      ],
      {
        claims: [
          { claim: '/kubernetes.io/namespace', values: ['shop'] },
          { claim: '/kubernetes.io/serviceaccount/name', values: ['web'] },
        ],
      },
    ],
    [
      [
        '--preset',
        'people',
        '--issuer',
        'https://id.example.com',
        '--client-id',
        'cli',
        '--email-domain',
        'example.com',
      ],
      {
        audience: ['cli'],
        login: {
          client_id: 'cli',
          scopes: ['openid', 'email'],
          vault_url: expect.stringMatching(/^http:.*[0-9]$/),
        },
        claims: [
          { claim: 'email', values: ['*@example.com'] },
          { claim: 'email_verified', values: ['true'] },
        ],
      },
    ],
    [
      [
        '--preset',
        'people',
        '--issuer',
        'https://id.example.com',
        '--client-id',
        'cli',
        '--scopes',
        'openid,groups',
        '--login-url',
        'https://vault.example.com',
      ].concat('--group', 'on call', '--audience', 'other'),
      {
        audience: ['other'],
        login: { client_id: 'cli', scopes: ['openid', 'groups'], vault_url: 'https://vault.example.com' },
        claims: [{ claim: 'groups', values: ['on call'] }],
      },
    ],
    [
      ['--preset', 'generic', '--issuer', 'https://ci.example.com', '--claim', 'sub=a=b', '--claim', 'sub=c'],
      { issuer: 'https://ci.example.com', claims: [{ claim: 'sub', values: ['a=b', 'c'] }] },
    ],
  ])('%j', async (flags, expected) => {
    expect((await create(['a', ...flags])).body).toMatchObject(expected)
  })

  test('sends what limits tokens, keys and callers, and no preset for a generic issuer', async () => {
    const flags = [
      '--preset',
      'generic',
      '--issuer',
      'https://ci.example.com',
      '--claim',
      'sub=a',
      '--max-age',
      '5m',
    ]
    flags.push('--reusable', '--key-lifetime', '1h', '--algorithm', 'ES256,EdDSA', '--expires', '2027-01-31')
    flags.push('--jwks-uri', 'https://ci.example.com/keys', '--address', '10.0.0.0/8', '--no-subjects')
    const { body } = await create([
      'build',
      ...flags,
      '--allow',
      'token:read,connection:read',
      '--connection',
      'a-*',
    ])
    expect(body).toMatchObject({
      max_age: 300,
      single_use: false,
      key_lifetime: 3600,
      algorithms: ['ES256', 'EdDSA'],
      expires_at: '2027-01-31T00:00:00.000Z',
      jwks_uri: 'https://ci.example.com/keys',
      addresses: ['10.0.0.0/8'],
      subjects: [],
      permissions: ['token:read', 'connection:read'],
      connections: ['a-*'],
    })
    expect(body).not.toHaveProperty('preset')
  })

  test('reads the keys of an issuer that cannot be reached from a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'jwks.json')
    const flags = ['a', '--preset', 'generic', '--issuer', 'https://k8s', '--claim', 'sub=a', '--jwks-file', file]
    await writeFile(file, '{"keys":[{"kty":"RSA","n":"x","e":"AQAB"}]}')
    expect((await create(flags)).body).toMatchObject({ jwks: { keys: [{ kty: 'RSA', n: 'x', e: 'AQAB' }] } })
    await writeFile(file, 'keys')
    expect(await create(flags)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is no JWKS') })
  })

  test('tells what the job needs, the workspace where it is another than the default one', async () => {
    const flags = ['deploy', '--preset', 'github', '--repository-id', '1']
    const { stderr, url, stdout } = await create(flags, { workspace: 'acme' })
    expect(stderr).toContain(`permissions: id-token: write, and AUTHCONN_URL=${url} AUTHCONN_WORKSPACE=acme`)
    expect(stderr).toContain('an address of this machine')
    expect(stdout).toMatch(/^ {2}claims +repository_id = 456789\n +environment = production or staging$/m)
    expect(stdout).toMatch(/^ {2}gives +a key for 15 min$/m)
    expect((await create([...flags, '--audience', 'vault'])).stderr).not.toContain('an address of this machine')
    expect(JSON.parse((await create([...flags, '--json'])).stdout)).toMatchObject({ name: 'deploy', max_age: 600 })
  })

  test.each([
    [[], 'Missing: --name, --preset.'],
    [['a', '--preset', 'github'], 'Missing: --repository-id or --repository-owner-id or --claim.'],
    [['--preset', 'kubernetes'], 'Missing: --name, --issuer, --namespace or --claim, --service-account'],
    [
      ['a', '--preset', 'people', '--issuer', 'https://i', '--client-id', 'c'],
      '--email-domain or --hd or --group',
    ],
    [['a', '--preset', 'generic', '--issuer', 'https://i'], 'Missing: --claim.'],
    [
      ['a', '--preset', 'github', '--repository-id', '1', '--project-id', '2'],
      '--project-id goes with --preset gitlab.',
    ],
    [['a', '--preset', 'github', '--repository-id', '1', '--scopes', 'a'], '--scopes goes with --preset people.'],
    [['a', '--preset', 'github', '--repository-id', '1', '--claim', 'sub'], '--claim takes NAME=VALUE'],
    [['a', '--preset', 'github', '--repository-id', '1', '--algorithm', 'HS256'], '--algorithm takes RS256'],
    [['a', '--preset', 'github', '--repository-id', '1', '--allow', 'all'], '--allow takes token:read'],
    [['a', '--preset', 'github', '--repository-id', '1', '--single-use', '--reusable'], 'exclude each other'],
    [['a', '--preset', 'github', '--repository-id', '1', '--max-age', '10'], '--max-age takes a time'],
    [
      ['a', '--preset', 'github', '--repository-id', '1,octo/repo'],
      '--repository-id takes numbers, and octo/repo is none: gh api repos/OWNER/NAME --jq .id.',
    ],
    [['a', '--preset', 'github', '--repository-owner-id', 'octo'], '--repository-owner-id takes numbers'],
    [['a', '--preset', 'gitlab', '--project-id', 'shop/web'], '--project-id takes numbers'],
    [
      [
        ...['a', '--preset', 'people', '--client-id', 'c', '--email-domain', 'example.com'],
        ...['--issuer', 'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0'],
      ],
      '--claim tid=TENANT',
    ],
    [['a', '--preset', 'git'], '--preset is one of github, gitlab, kubernetes, people, generic.'],
  ])('%j is not right', async (flags, words) => {
    const { exitCode, stdout, stderr, body } = await create(flags)
    expect({ exitCode, stdout, body }).toEqual({ exitCode: 2, stdout: '', body: undefined })
    expect(stderr).toContain(words)
  })

  test.each([
    [['--preset', 'github', '--repository-id', '1', '--environment', 'production'], 'github-1-production'],
    [['--preset', 'github', '--repository-id', '1', '--environment', 'a,b'], 'github-1-a-b'],
    [['--preset', 'github', '--repository-id', '1', '--name', 'deploy'], 'deploy'],
    [['--preset', 'gitlab', '--project-id', '4711'], 'gitlab-4711'],
    [
      ['--preset', 'kubernetes', '--issuer', 'https://k', '--namespace', 'shop', '--service-account', 'web'],
      'kubernetes-shop-web',
    ],
  ])('%j makes the trust %s', async (flags, name) => {
    expect(await create(flags)).toMatchObject({ exitCode: 0, body: { name } })
  })

  test('takes several environments in one word, as it takes ids', async () => {
    const { body } = await create(['a', '--preset', 'github', '--repository-id', '1,2', '--environment', 'a,b'])
    expect(body).toMatchObject({
      claims: [
        { claim: 'repository_id', values: ['1', '2'] },
        { claim: 'environment', values: ['a', 'b'] },
      ],
    })
  })

  const branches = 'jobs on every branch'
  const everything = 'without --connection'
  test.each<[string[], string[]]>([
    [
      ['--preset', 'github', '--repository-id', '1'],
      [branches, everything],
    ],
    [['--preset', 'github', '--repository-id', '1', '--connection', 'a', '--ref', 'refs/heads/main'], []],
    [['--preset', 'github', '--repository-id', '1', '--connection', 'a', '--environment', 'b'], []],
    [['--preset', 'gitlab', '--project-id', '1', '--connection', 'a'], [branches]],
    [['--preset', 'gitlab', '--project-id', '1', '--connection', 'a', '--ref-protected'], []],
    [['--preset', 'generic', '--issuer', 'https://ci.example.com', '--claim', 'sub=a'], [everything]],
  ])('%j warns of %j', async (flags, words) => {
    const { stderr } = await create(['a', ...flags])
    expect([branches, everything].filter((each) => stderr.includes(each))).toEqual(words)
  })

  test('leads to the URL by which others know the vault, where the audience is it', async () => {
    const at = { url: 'http://127.0.0.1:8787', audience: 'http://127.0.0.1:8787', workspace: 'default' }
    const elsewhere = nextStep(trust({ audience: ['https://vault.example.com'] }), at)
    expect(elsewhere).toContain('AUTHCONN_URL=https://vault.example.com;')
    expect(nextStep(trust({ audience: ['the-vault'] }), at)).toContain(
      'AUTHCONN_URL=http://127.0.0.1:8787 AUTHCONN_AUDIENCE=the-vault;',
    )
  })

  test('says what a token that is taken once is good for, and leads people of Entra ID to its redirect URI', () => {
    const at = { url: 'https://v.example', audience: 'https://v.example', workspace: 'default' }
    expect(nextStep(trust({ preset: null, single_use: true }), at)).toContain('or a trust made with --reusable')
    expect(nextStep(trust({ preset: null, single_use: false }), at)).not.toContain('--reusable')
    const issuer = 'https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0'
    expect(nextStep(trust({ preset: 'people', issuer }), at)).toContain('--redirect-host localhost')
  })

  // There is no pseudo-terminal on Windows that takes these keys.
  test.skipIf(process.platform === 'win32')('asks for what is missing in a terminal', async () => {
    const { url, requests } = await fakeVault({ createTrust: () => trust(), getSelf: () => self() })
    const env = { AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak_test', HOME: '/nonexistent' }
    const terminal = openTerminal(['trusts', 'create'], env)
    await terminal.answer('Name of the trust', 'deploy')
    await terminal.answer('Whose tokens are they?', '')
    await terminal.answer('Id of the repository', '456789')
    expect(await terminal.exitCode).toBe(0)
    expect(requests.at(-1)?.body).toMatchObject({
      name: 'deploy',
      preset: 'github',
      claims: [{ claim: 'repository_id', values: ['456789'] }],
    })
  })
})

describe('trusts list', () => {
  const all = [
    trust({ last_used_at: '2026-01-02T00:00:00.000Z' }),
    trust({ name: 'staff', preset: 'people', expires_at: '2020-01-01T00:00:00.000Z', connections: ['*'] }),
  ]

  test('prints a table, following pages', async () => {
    const { url } = await fakeVault({
      listTrusts: ({ query }) =>
        query.after === undefined
          ? { trusts: all.slice(0, 1), next: 'deploy' }
          : { trusts: all.slice(1), next: null },
    })
    expect((await run(['trusts', 'list'], { url })).stdout.split('\n')).toEqual([
      'NAME    PRESET  CLAIMS                                                       CONNECTIONS  MAY         EXPIRES IN  LAST USED                 ISSUER',
      'deploy  github  repository_id = 456789, environment = production or staging  google-*     token:read  -           2026-01-02T00:00:00.000Z  https://token.actions.githubusercontent.com',
      'staff   people  repository_id = 456789, environment = production or staging  *            token:read  ended       -                         https://token.actions.githubusercontent.com',
      '',
    ])
    const narrow = stripVTControlCharacters((await run(['trusts', 'list'], { url, columns: 80 })).stdout)
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(narrow).toContain('repository_id')
  })

  test('prints all as JSON, and where there are none says what to do', async () => {
    const { url } = await fakeVault({ listTrusts: () => ({ trusts: all, next: null }) })
    expect(JSON.parse((await run(['trusts', 'list', '--json'], { url })).stdout)).toEqual({ trusts: all })
    const empty = await fakeVault({ listTrusts: () => ({ trusts: [], next: null }) })
    expect(await run(['trusts', 'list'], { url: empty.url })).toMatchObject({
      stdout: 'There are no trusts yet.\n',
      stderr: expect.stringContaining('authconn trusts create'),
    })
  })
})

describe.each([
  ['get', 'getTrust'],
  ['revoke', 'revokeTrust'],
] as const)('trusts %s', (command, operation) => {
  test('takes the name', async () => {
    const { url, requests } = await fakeVault({ [operation]: () => trust() })
    expect(await run(['trusts', command, 'deploy'], { url })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('deploy'),
    })
    expect(requests.map(({ params }) => params.name)).toEqual(['deploy'])
  })

  test('tells what was probably meant, and that a name is missing', async () => {
    const { url } = await fakeVault({
      [operation]() {
        throw new Problem('trust_not_found', 'none')
      },
      listTrusts: () => ({ trusts: [trust()], next: null }),
    })
    expect(await run(['trusts', command, 'deplyo'], { url })).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('There is no trust deplyo, or it is revoked. Did you mean deploy?'),
    })
    expect(await run(['trusts', command], { url })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('The trust is missing'),
    })
  })
})

test('callers list shows whose keys a trust has given, and one of them can be revoked by its id', async () => {
  const made = caller({ name: 'trust:deploy', trust: 'deploy', identity: 'repo:o/r:ref:refs/heads/main' })
  const { url, requests } = await fakeVault({
    listCallers: () => ({ callers: [made], next: null }),
    revokeCaller: () => made,
  })
  const { stdout } = await run(['callers', 'list', '--trust', 'deploy'], { url })
  expect(stdout).toMatch(/^NAME +ID +IDENTITY /)
  expect(stdout).toContain(`${made.id}  repo:o/r:ref:refs/heads/main`)
  expect(requests[0]?.query).toMatchObject({ trust: 'deploy' })
  expect((await run(['callers', 'revoke', made.id], { url })).exitCode).toBe(0)
  expect(requests.slice(1).map(({ operation, params }) => [operation, params.id])).toEqual([
    ['revokeCaller', made.id],
  ])
})

test('callers list tells a trust that is not there from one that nobody has used', async () => {
  const { url } = await fakeVault({
    listCallers: () => ({ callers: [], next: null }),
    getTrust({ params }) {
      if (params.name !== 'deploy') throw new Problem('trust_not_found', 'none')
      return trust()
    },
    listTrusts: () => ({ trusts: [trust()], next: null }),
  })
  expect(await run(['callers', 'list', '--trust', 'deploy'], { url })).toMatchObject({
    exitCode: 0,
    stdout: 'Nobody has a key by this trust.\n',
  })
  expect(await run(['callers', 'list', '--trust', 'deplyo'], { url })).toMatchObject({
    exitCode: 4,
    stdout: '',
    stderr: expect.stringContaining('Did you mean deploy?'),
  })
})

test('a command that trusts does not have is told with those that it has', async () => {
  const { exitCode, stderr } = await run(['trusts', 'delete', 'deploy'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('authconn trusts has: create, list, get, revoke.')
})
