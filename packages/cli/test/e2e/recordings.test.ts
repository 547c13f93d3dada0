import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browse, connectDevice } from '@authconn/sandbox'
import { expect, onTestFinished, test } from 'vitest'
import { commandTable, isGroup } from '../../src/command-table.ts'
import { cliPath, startChild } from './support/child.ts'
import { freePort } from './support/free-port.ts'
import { masked } from './support/masked.ts'
import { openTerminal, openTerminalWith } from './support/terminal.ts'
import { useWorld } from './support/world.ts'

/**
 * What each command prints: in a terminal of 80 columns, in a pipe, and as JSON. The files beside this one are read by
 * people when they change; what differs from run to run is masked.
 */
const { current } = useWorld({
  devicePollInterval: 1,
  clients: [
    { client_id: 'sandbox-client', client_secret: 'not-so-secret' },
    { client_id: 'authconn-cli', client_secret: '', public: true },
  ],
})

const modes = ['terminal', 'pipe', 'json'] as const
type Mode = (typeof modes)[number]

interface Scene {
  /** The command line; MODE stands for one of the modes, where a command can be run only once for a name. */
  argv: string
  env?: Record<string, string>
  /** Comes before each mode. */
  before?(mode: Mode): Promise<unknown>
  /** What is done once it has printed this. */
  during?: { printed: string; act(printed: string, interrupt: () => void): Promise<unknown> }
  stdin?: string
}

const create = (name: string) => current().create(name)
const connected = async (name: string) => {
  await create(name)
  const { vault } = current()
  const body = { scopes: ['openid', 'email', 'offline_access'], redirect_uri: 'http://127.0.0.1:8080/callback' }
  const begun = await vault.call('startAuthorization', { params: { name }, body })
  const { redirectedUrl } = await browse(begun.authorization_url)
  const params = { id: begun.id }
  await vault.call('completeAuthorization', { params, body: { redirected_url: redirectedUrl } })
}
const maker = (mode: Mode) =>
  current().vault.call('createCaller', { body: { name: `made-${mode}`, permissions: ['token:read'] } })

const client = '--provider-url ISSUER --client-id sandbox-client --client-secret-file SECRET'
/** Whatever runs the tests has a display or not. */
const here = { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' }
/** Where the vault on this machine is not named, and so what was logged in to counts. */
const elsewhere = { AUTHCONN_DATA_DIR: '' }

/** By the words of the command, and what is special about the scene. In this order: they change what is there. */
const scenes: Readonly<Record<string, Scene>> = {
  version: { argv: 'version' },
  'help token': { argv: 'help token' },
  help: { argv: '--help' },
  completion: { argv: 'completion fish' },
  'list, nothing yet': { argv: 'list' },
  create: { argv: `create new-MODE ${client}` },
  list: { argv: 'list', before: (mode) => (mode === 'terminal' ? connected('google-oauth') : Promise.resolve()) },
  get: { argv: 'get google-oauth' },
  'get, mistyped': { argv: 'get gogle-oauth' },
  authorize: {
    argv: 'authorize new-MODE --scopes openid,email --port 0',
    env: here,
    during: {
      printed: 'Waiting',
      act: consent,
    },
  },
  'authorize, device code': {
    argv: 'authorize new-MODE --device --scopes openid,email',
    env: here,
    during: {
      printed: 'Ctrl-C',
      act: async (printed) => {
        const [, userCode = ''] = /enter the code: ([A-Z]{4}-[A-Z]{4})/.exec(printed) ?? []
        await connectDevice(`${current().sandbox.issuer}/device`, { userCode })
      },
    },
  },
  'create, client credentials': {
    argv: `create service-MODE --grant-type client_credentials --scopes api:read ${client}`,
  },
  'authorize, client credentials': { argv: 'authorize service-MODE' },
  token: { argv: 'token google-oauth' },
  'token, not authorized': {
    argv: 'token fresh',
    before: (mode) => (mode === 'terminal' ? create('fresh') : Promise.resolve()),
  },
  run: { argv: 'run --token GOOGLE=google-oauth -- echo started' },
  'function run': { argv: 'function run FUNCTION --input {"who":"you"}' },
  types: { argv: 'types --out TYPES' },
  proxy: {
    argv: 'proxy google-oauth --upstream ISSUER --port 0',
    during: { printed: 'Listening on', act: async (_printed, interrupt) => interrupt() },
  },
  update: { argv: 'update new-MODE --client-secret-file SECRET' },
  revoke: { argv: 'revoke new-MODE' },
  delete: { argv: 'delete new-MODE --yes' },
  // One alone: all of them would be the catalog once more, to be recorded anew with each change of it.
  providers: { argv: 'providers quickbooks' },
  'callers create': { argv: 'callers create ci-MODE --allow token:read --connection google-*' },
  'callers list': { argv: 'callers list' },
  'callers rotate': { argv: 'callers rotate ci-MODE' },
  'callers revoke': { argv: 'callers revoke ci-MODE' },
  'trusts create': {
    argv: 'trusts create deploy-MODE --preset github --repository-id 456789 --environment production --audience https://vault.example.com',
  },
  'trusts list': { argv: 'trusts list' },
  'trusts get': { argv: 'trusts get deploy-terminal' },
  'trusts get, mistyped': { argv: 'trusts get deplyo-terminal' },
  'trusts revoke': { argv: 'trusts revoke deploy-MODE' },
  'help trusts create': { argv: 'help trusts create' },
  'audit list': {
    argv: 'audit list --limit 1 --caller made-MODE',
    before: async (mode) => denied(await maker(mode)),
  },
  'audit verify': { argv: 'audit verify' },
  'workspaces create': { argv: 'workspaces create acme' },
  'workspaces list': { argv: 'workspaces list' },
  login: { argv: 'login --profile prod --vault-url VAULT --store file', stdin: 'KEY', env: elsewhere },
  'profiles list': { argv: 'profiles list' },
  whoami: { argv: 'whoami', env: elsewhere },
  'login, with OpenID Connect': {
    argv: 'login --oidc --profile staff --vault-url VAULT --store file --port 0',
    env: { ...elsewhere, ...here },
    before: (mode) => (mode === 'terminal' ? staff() : Promise.resolve()),
    during: { printed: 'Waiting', act: consent },
  },
  'profiles use': { argv: 'profiles use local' },
  doctor: { argv: 'doctor google-oauth --port PORT', env: here },
  'doctor, an error explained': { argv: 'doctor --port PORT --error redirect_uri_mismatch', env: here },
  logout: { argv: 'logout --profile prod', before: (mode) => (mode === 'terminal' ? Promise.resolve() : login()) },
  open: {
    argv: 'open google-console',
    env: here,
    before: (mode) =>
      mode === 'terminal'
        ? current().vault.call('createConnection', {
            body: { name: 'google-console', provider: 'google', client_id: 'ID', client_secret: 'SECRET' },
          })
        : Promise.resolve(),
  },
  'open, not in the catalog': { argv: 'open google-oauth', env: here },
  'an unknown command': { argv: 'lst' },
}

/** What a person does in the browser. */
async function consent(printed: string) {
  const url = /http:\/\/[^\s"\\]+\/authorize\?[^\s"\\]+/.exec(printed.replace(/\r\n(?=\S)/g, ''))?.[0] ?? ''
  await browse(url, { followCallback: true })
}

/** A trust for people, who log in at the sandbox. */
async function staff() {
  const { vault, sandbox } = current()
  await vault.call('createTrust', {
    body: {
      name: 'staff',
      preset: 'people',
      issuer: sandbox.issuer,
      audience: ['authconn-cli'],
      claims: [{ claim: 'sub', values: ['alice'] }],
      permissions: ['connection:read'],
      login: { client_id: 'authconn-cli', scopes: ['openid', 'email'], vault_url: current().url },
    },
  })
}

async function denied({ api_key }: { api_key: string }) {
  await current().authconn(['list', '--json'], '', { AUTHCONN_API_KEY: api_key })
}

async function apiKey() {
  const { vault } = current()
  const name = `k-${crypto.randomUUID().slice(0, 8)}`
  const body = { name, permissions: ['connection:read' as const] }
  const { api_key } = await vault.call('createCaller', { body })
  // The name of the key is shown; there is only one such caller at a time.
  return api_key
}

async function login() {
  const { authconn, url } = current()
  await authconn(['login', '--profile', 'prod', '--vault-url', url, '--store', 'file'], await apiKey())
}

/** The words of a scene's command line, with what is known only now. */
async function argvOf({ argv }: Scene, mode: Mode): Promise<string[]> {
  const { sandbox, env, url } = current()
  const secret = join(env.HOME ?? '', 'secret.txt')
  await writeFile(secret, sandbox.client.client_secret)
  // Not in HOME: the vault of this test has its credentials there, which no function may read.
  const directory = await mkdtemp(join(tmpdir(), 'authconn-function-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const greet = join(directory, 'greet.mjs')
  await writeFile(greet, "export default ({ who }) => ({ greeting: 'Hello, ' + who })")
  const known = {
    ...{ MODE: mode, ISSUER: sandbox.issuer, SECRET: secret, VAULT: url, PORT: String(await freePort()) },
    ...{ TYPES: join(env.HOME ?? '', `types-${mode}.d.ts`), FUNCTION: greet },
  }
  const words = argv
    .split(' ')
    .map((word) => word.replace(/\b[A-Z]{4,}\b/, (name) => Reflect.get(known, name) ?? name))
  if (mode !== 'json') return words
  // What comes after -- is for the program that is run.
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return words.toSpliced(end, 0, '--json')
}

async function play(scene: Scene, mode: Mode): Promise<string> {
  await scene.before?.(mode)
  const argv = await argvOf(scene, mode)
  const env = { ...current().env, ...scene.env }
  const input = scene.stdin === 'KEY' ? await apiKey() : ''
  return mode === 'terminal' ? inTerminal(argv, env, scene, input) : inPipe(argv, env, scene, input)
}

async function inTerminal(argv: string[], env: Record<string, string>, { during }: Scene, input: string) {
  const file = join(env.HOME ?? '', 'input')
  await writeFile(file, input)
  const quoted = [process.execPath, cliPath, ...argv].map((word) => `'${word}'`).join(' ')
  const size = { cols: 80 }
  const terminal =
    input === ''
      ? openTerminalWith(process.execPath, [cliPath, ...argv], env, size)
      : openTerminalWith('/bin/sh', ['-c', `${quoted} < '${file}'`], env, size)
  if (during) {
    await terminal.shows(during.printed)
    await during.act(terminal.shown(), () => terminal.type('\x03'))
  }
  const exitCode = await terminal.exitCode
  return `exit code ${exitCode}\n${terminal.settled()}`
}

async function inPipe(argv: string[], env: Record<string, string>, { during }: Scene, input: string) {
  const child = startChild(cliPath, argv, env)
  child.process.stdin?.end(input)
  if (during) {
    await expect.poll(() => child.stderr(), { timeout: 10_000 }).toContain(during.printed)
    await during.act(child.stderr(), () => child.process.kill('SIGINT'))
  }
  const { exitCode } = await child.ended
  return `exit code ${exitCode}\n--- stdout\n${child.stdout()}--- stderr\n${child.stderr()}`
}

const headings: Readonly<Record<Mode, string>> = {
  terminal: 'in a terminal of 80 columns',
  pipe: 'in a pipe',
  json: 'with --json',
}

// There is no pseudo-terminal on Windows that takes these keys.
test.skipIf(process.platform === 'win32').each(Object.entries(scenes))('%s', async (title, scene) => {
  const parts: string[] = [`$ authconn ${scene.argv}\n`]
  for (const mode of modes) parts.push(`\n=== ${headings[mode]}: ${masked(await play(scene, mode), current())}`)
  await expect(parts.join('')).toMatchFileSnapshot(`./recordings/${title.replaceAll(/,? /g, '-')}.txt`)
})

test('every command is recorded', () => {
  const all = commandTable.flatMap((entry) =>
    isGroup(entry) ? entry.commands.map(({ name }) => `${entry.name} ${name}`) : [entry.name],
  )
  const recorded = Object.keys(scenes)
  expect(all.filter((name) => !recorded.includes(name))).toEqual([])
})

test.skipIf(process.platform === 'win32')(
  'login asks for address and key in a terminal, and shows no key',
  async () => {
    const { env, url } = current()
    const key = await apiKey()
    const terminal = openTerminal(['login', '--profile', 'asked', '--store', 'file'], env)
    await terminal.answer('URL of the vault', url)
    await terminal.answer('API key for', key)
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).toContain('Logged in to')
    expect(terminal.shown()).toContain('*'.repeat(key.length))
    expect(terminal.shown()).not.toContain(key)
    const whoami = await current().authconn(['whoami', '--json', '--profile', 'asked'])
    expect(JSON.parse(whoami.stdout)).toMatchObject({ workspace: 'default', permissions: ['connection:read'] })
    expect((await current().authconn(['logout', '--all'])).exitCode).toBe(0)
  },
)
