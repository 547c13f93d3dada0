import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { browse, type Sandbox, startSandbox } from '@authconn/sandbox'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { installAlone, installNode22, reachesRegistry } from './support/install.ts'
import { type Packed, packAll, typescript } from './support/pack.ts'
import { startProgram } from './support/start-program.ts'

// What people get who install: the tarballs, in folders of their own, from the registry but for our own packages.

const run = promisify(execFile)
const scratch = mkdtempSync(join(tmpdir(), 'authconn-packages-'))
let packed: Packed[]
let sandbox: Sandbox
/** By name of the package; undefined without a registry. */
let folders: Record<string, string> | undefined
/** Programs of Node, by version. */
let nodes: Record<string, string | undefined>

beforeAll(async () => {
  const tarballs = join(scratch, 'tarballs')
  mkdirSync(tarballs)
  packed = await packAll(tarballs)
  sandbox = await startSandbox({ signingAlg: 'ES256' })
  if (!(await reachesRegistry())) return
  const install = async (name: string) => [name, await installAlone(packed, name, scratch)] as const
  const [node22, ...installed] = await Promise.all([
    installNode22(scratch),
    ...packed.map(({ manifest }) => install(manifest.name)),
  ])
  nodes = { 22: node22, 24: process.execPath }
  folders = Object.fromEntries(installed)
}, 240_000)
afterAll(async () => {
  await sandbox?.stop()
  rmSync(scratch, { recursive: true, force: true })
})

const names = ['@authconn/shared', '@authconn/sdk', '@authconn/server', 'authconn']
const libraries = ['@authconn/shared', '@authconn/sdk']

function find(name: string): Packed {
  return packed.find(({ manifest }) => manifest.name === name) ?? expect.unreachable(`${name} is not published`)
}

interface Skipping {
  skip(condition: boolean, reason: string): void
}

function folderOf(context: Skipping, name: string): string {
  context.skip(folders === undefined, 'the registry of npm does not answer')
  return folders?.[name] ?? expect.unreachable(`${name} was not installed`)
}

function nodeOf(context: Skipping, version: string): string {
  const node = nodes?.[version]
  context.skip(folders !== undefined && node === undefined, 'no package carries Node for this platform')
  return node ?? ''
}

describe.each(names)('the tarball of %s', (name) => {
  test('has nothing that publint finds fault with', async () => {
    const bytes = new Uint8Array(readFileSync(find(name).tarball))
    const { messages } = await publint({ pack: { tarball: bytes.buffer }, strict: true })
    expect(messages).toEqual([])
  })

  test('names no dependency as only a workspace understands it', async () => {
    const { stdout } = await run('tar', ['-xzOf', find(name).tarball, 'package/package.json'])
    expect(stdout).not.toMatch(/workspace:|catalog:|src\/index\.ts/)
  })
})

test.each(libraries)('the types of %s resolve wherever modules do', async (name) => {
  const checked = await checkPackage(createPackageFromTarballData(readFileSync(find(name).tarball)))
  if (checked.types === false) return expect.unreachable('it has no types')
  // It has ES modules alone, which CommonJS can require since Node 22.12; before `exports` nobody looked for them.
  const problems = checked.problems.filter(
    (problem) =>
      problem.kind !== 'CJSResolvesToESM' && !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
  )
  expect(problems).toEqual([])
})

const program = `import { authconnection, createClient } from '@authconn/sdk'
import { errorTable, type ErrorCode } from '@authconn/shared/errors'
const client = createClient({ url: 'https://vault.example', apiKey: 'ack_example' })
export async function tokenOf(name: string): Promise<string> {
  const { access_token, expires_at } = await client.getConnectionToken(name, { minTtl: 300 })
  const expiry: string | null = expires_at
  return expiry === null ? access_token : (await authconnection.getConnectionToken(name)).access_token
}
// @ts-expect-error: the name of a connection is no number
void client.getConnectionToken(1)
export const hintOf = (code: ErrorCode): string => errorTable[code].hint
`

test.for([
  ['nodenext', 'nodenext'],
  ['node16', 'node16'],
  ['esnext', 'bundler'],
])(
  'a program with the library compiles with module %s and moduleResolution %s',
  { timeout: 60_000 },
  async ([module, resolution], context) => {
    const folder = folderOf(context, '@authconn/sdk')
    writeFileSync(join(folder, 'program.ts'), program)
    // All declarations, which takes most of the time, are looked through once.
    const compilerOptions = { module, moduleResolution: resolution, skipLibCheck: resolution !== 'nodenext' }
    const settings = { ...compilerOptions, target: 'es2022', strict: true, noEmit: true, types: [] }
    const file = join(folder, `tsconfig.${resolution}.json`)
    writeFileSync(file, JSON.stringify({ compilerOptions: settings, files: ['program.ts'] }))
    const { stdout } = await run(process.execPath, [typescript, '-p', file]).catch((error) => error)
    expect(stdout).toBe('')
  },
)

describe.each(['22', '24'])('on Node %s', (version) => {
  test('the contract can be imported', async (context) => {
    const folder = folderOf(context, '@authconn/shared')
    const imports = ['', '/errors', '/local', '/permissions', '/routes'].map((path) => `@authconn/shared${path}`)
    const script = `for (const name of ${JSON.stringify(imports)}) console.log(Object.keys(await import(name)).length > 0)`
    const { stdout } = await run(nodeOf(context, version), ['--input-type=module', '-e', script], { cwd: folder })
    expect(stdout).toBe('true\n'.repeat(imports.length))
  })

  test('a vault starts, and gives the token of a connection to its command line and to the library', async (context) => {
    const [vaultFolder, cliFolder, sdkFolder] = ['@authconn/server', 'authconn', '@authconn/sdk'].map((name) =>
      folderOf(context, name),
    ) as [string, string, string]
    const node = nodeOf(context, version)
    const home = mkdtempSync(join(scratch, `home-${version}-`))
    const env = { HOME: home, AUTHCONN_DATA_DIR: join(home, 'data') }
    const authconn = (...args: string[]) => startProgram(cliFolder, ['authconn', ...args], node, env)
    const printed = async (...args: string[]) => {
      const { ended, stdout, stderr } = authconn(...args)
      expect({ args, code: await ended, stderr: stderr() }).toMatchObject({ code: 0 })
      return stdout()
    }
    const { client, issuer } = sandbox
    writeFileSync(join(home, 'secret'), client.client_secret)

    expect(await printed('--version')).toContain(find('authconn').manifest.version)
    const vault = startProgram(vaultFolder, ['authconn-server', 'start', '--port', '0'], node, {
      ...env,
      AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
    })
    onTestFinished(() => void vault.child.kill('SIGKILL'))
    await expect.poll(() => vault.stdout() + vault.stderr(), { timeout: 60_000 }).toContain('"msg":"listening"')
    await printed(
      ...['create', 'demo', '--provider-url', issuer, '--client-id', client.client_id],
      ...['--client-secret-file', join(home, 'secret')],
    )
    const authorizing = authconn('authorize', 'demo', '--port', '0', '--no-browser', '--json')
    await expect.poll(authorizing.stderr, { timeout: 10_000 }).toContain('authorization_url')
    const [notice = ''] = authorizing.stderr().split('\n')
    await browse(JSON.parse(notice).authorization_url, { followCallback: true })
    expect(await authorizing.ended).toBe(0)
    const token = (await printed('token', 'demo')).trim()
    const userinfo = new URL('/userinfo', issuer)
    expect((await fetch(userinfo, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)

    const { url, api_key } = JSON.parse(readFileSync(join(env.AUTHCONN_DATA_DIR, 'credentials.json'), 'utf8'))
    const fetchToken = `authconnection.getConnectionToken('demo').then((token) => console.log(token.access_token))`
    const settings = { cwd: sdkFolder, env: { AUTHCONN_URL: url, AUTHCONN_API_KEY: api_key } }
    for (const [type, load] of [
      ['module', `import { authconnection } from '@authconn/sdk'`],
      ['commonjs', `const { authconnection } = require('@authconn/sdk')`],
    ]) {
      const { stdout } = await run(node, [`--input-type=${type}`, '-e', `${load}\n${fetchToken}`], settings)
      expect({ type, token: stdout.trim() }).toEqual({ type, token })
    }
    vault.child.kill('SIGTERM')
    expect(await vault.ended).toBe(0)
  }, 120_000)
})
