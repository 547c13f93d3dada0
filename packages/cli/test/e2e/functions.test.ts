import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startApi } from './support/api.ts'
import { authorized } from './support/authorized.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

const example = (name: string) =>
  fileURLToPath(new URL(`../../../../examples/functions/${name}.ts`, import.meta.url))

/** The file of a function, in a directory of its own. */
async function functionFile(source: string, name = 'function.ts'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-function-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, name)
  await writeFile(file, source)
  return file
}

const runFunction = (file: string, ...flags: string[]) => current().authconn(['function', 'run', file, ...flags])

/** Runs a function whose body is given. */
async function running(body: string, ...flags: string[]) {
  return runFunction(await functionFile(`export default async (input: any) => { ${body} }`), ...flags)
}

const getToken = `const { access_token } = await authconn.getConnectionToken('google-oauth')`

beforeAll(async () => {
  for (const name of ['google-oauth', 'quickbooks-oauth']) await authorized(current(), name)
  await current().create('never-authorized')
}, 60_000)

describe('functions that know only tailor.authconnection run unchanged', () => {
  test('one that fetches the token of a connection and calls an API with it', async () => {
    const url = new URL('/userinfo', current().sandbox.issuer).href
    const { exitCode, stdout, stderr } = await runFunction(
      example('one-connection'),
      '--input',
      JSON.stringify({ url }),
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      account: expect.objectContaining({ sub: expect.any(String) }),
      until: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  test('one that fetches two, and calls both APIs in parallel', async () => {
    const { vault } = current()
    const both = Promise.withResolvers<void>()
    const api = await startApi(async ({ path }, _, response) => {
      // Neither is answered before the other one has been asked.
      if (api.calls.length === 2) both.resolve()
      await both.promise
      response.end(JSON.stringify({ of: path }))
    })
    const input = { contacts: `${api.url}/contacts`, invoices: `${api.url}/invoices` }
    const { exitCode, stdout } = await runFunction(example('two-connections'), '--input', JSON.stringify(input))
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ people: { of: '/contacts' }, bills: { of: '/invoices' } })
    const sent = new Map(api.calls.map(({ path, headers }) => [path, headers.authorization]))
    for (const [path, name] of [
      ['/contacts', 'google-oauth'],
      ['/invoices', 'quickbooks-oauth'],
    ] as const) {
      expect(sent.get(path)).toBe(`Bearer ${(await vault.getConnectionToken(name)).access_token}`)
    }
  })
})

describe('what a function returns', () => {
  test.each([
    ['return input', ['--input', '{"a":[1,null]}'], { a: [1, null] }],
    ['return input', ['--input', '"text"', '--json'], 'text'],
    ['return input === undefined', [], true],
    ['', [], null],
  ] as const)('is printed as JSON: %s with %j', async (body, flags, result) => {
    const { exitCode, stdout } = await running(body, ...flags)
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual(result)
  })

  test('may depend on what is on standard input', async () => {
    const file = await functionFile('export default (input) => input.n + 1', 'function.mjs')
    expect(await current().authconn(['function', 'run', file, '--input', '-'], '{"n": 41}')).toMatchObject({
      exitCode: 0,
      stdout: '42\n',
    })
  })
})

describe('a function that fails', () => {
  test.each([
    ['throw new TypeError("no such thing")', 'TypeError: no such thing\n    at Module.default (file://'],
    ['throw "words"', 'It threw words'],
    ['throw new Error("outer", { cause: new Error("inner") })', 'Caused by Error: inner'],
    ['setTimeout(() => { throw new Error("later") }); await new Promise(() => {})', 'Error: later'],
    ['Promise.reject(new Error("unheard")); await new Promise(() => setTimeout(() => {}, 9e5))', 'Error: unheard'],
    ['await new Promise(() => {})', 'it waits for what never comes'],
    ['process.exit(3)', 'ended with exit code 3'],
    ['process.kill(process.pid, "SIGKILL")', 'was ended by SIGKILL'],
    ['return 1n', 'TypeError'],
    ['return () => {}', 'has no form in JSON'],
  ])('says why, with exit code 1: %s', async (body, words) => {
    const { exitCode, stdout, stderr } = await running(body)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain('[function_failed]')
    expect(stderr).toContain(words)
    expect(stderr).not.toMatch(/node:internal|function-host/)
  })

  test.each([
    ['export const a = 1', 'default export is not a function'],
    ['export default 1 +', 'SyntaxError'],
    ['enum A { B }; export default () => A.B', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'],
    ['import "./nowhere.ts"; export default () => 1', 'ERR_MODULE_NOT_FOUND'],
  ])('to load says why: %s', async (source, words) => {
    const { exitCode, stderr } = await runFunction(await functionFile(source))
    expect(exitCode).toBe(1)
    expect(stderr).toContain(words)
  })

  test('for want of a token ends as the vault says, with what to do', async () => {
    const { exitCode, stderr } = await running(`await authconn.getConnectionToken('never-authorized')`)
    expect(exitCode).toBe(5)
    expect(stderr).toContain('[grant_pending]')
    expect(stderr).toContain('authconn authorize never-authorized')
  })

  test('can tell one error of the vault from another', async () => {
    const body = `try { await authconn.getConnectionToken('nothing-there') } catch (error) { return [error.name, error.code] }`
    expect(JSON.parse((await running(body)).stdout)).toEqual(['AuthconnError', 'connection_not_found'])
  })

  test('to end in time is stopped', async () => {
    const begun = performance.now()
    const { exitCode, stderr } = await running('for (;;);', '--timeout', '1')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('[function_timeout]')
    expect(performance.now() - begun).toBeLessThan(8000)
  })

  test('is not heard when it says to authconn what makes no sense', async () => {
    for (const said of ['null', '{ kind: "result", json: "{" }', '{ kind: "failed_by_vault" }']) {
      const { exitCode, stderr } = await running(
        `process.send(${said}); await new Promise((r) => setTimeout(r, 9e5))`,
      )
      expect(exitCode).toBe(1)
      expect(stderr).toContain('makes no sense')
    }
  })

  test.each([
    ['SIGINT', { exitCode: 130, signal: null }],
    ['SIGKILL', { exitCode: null, signal: 'SIGKILL' }],
  ] as const)('is stopped with the command, by %s', async (name, ending) => {
    const file = await functionFile(
      'export default () => { console.log(process.pid); return new Promise((resolve) => setTimeout(resolve, 9e5)) }',
    )
    const child = current().begin(['function', 'run', file])
    await expect.poll(() => child.stderr(), { timeout: 10_000 }).toMatch(/^\d+\n/)
    const pid = Number(child.stderr())
    child.process.kill(name)
    expect(await child.ended).toEqual(ending)
    await expect.poll(() => runs(pid), { timeout: 5000 }).toBe(false)
  })
})

describe('a function is permitted', () => {
  test('tokens of the connections that are named', async () => {
    const both = `const got = await Promise.allSettled(['google-oauth', 'quickbooks-oauth'].map((name) => authconn.getConnectionToken(name)))
      return got.map(({ status, reason }) => reason?.code ?? status)`
    const run = async (...flags: string[]) => JSON.parse((await running(both, ...flags)).stdout)
    expect(await run()).toEqual(['fulfilled', 'fulfilled'])
    expect(await run('--connection', 'google-*')).toEqual(['fulfilled', 'permission_denied'])
    expect(await run('--connection', 'google,quickbooks-oauth')).toEqual(['permission_denied', 'fulfilled'])
    expect(await run('--connection', 'g.*')).toEqual(['permission_denied', 'permission_denied'])
  })

  test.each([
    ['no file elsewhere', `(await import('node:fs')).readFileSync('/etc/passwd')`],
    ['not what the vault left on this machine', `(await import('node:fs')).readFileSync(input)`],
    ['no file of its parent', `(await import('node:fs')).readFileSync('/proc/' + process.ppid + '/environ')`],
    ['to write nothing', `(await import('node:fs')).writeFileSync('./file', '')`],
    ['to start no program', `(await import('node:child_process')).execFileSync('/bin/true')`],
    ['no worker', `new (await import('node:worker_threads')).Worker('1', { eval: true })`],
  ])('%s', async (_, statement) => {
    const secret = JSON.stringify(join(current().env.AUTHCONN_DATA_DIR ?? '', 'credentials.json'))
    const { exitCode, stderr } = await running(statement, '--input', secret)
    expect(exitCode).toBe(1)
    expect(stderr).toContain('ERR_ACCESS_DENIED')
    expect(stderr).toContain('--allow-read')
  })

  test('not what the vault left, though it lies beside the function', async () => {
    const { env, authconn } = current()
    const home = env.HOME ?? ''
    await writeFile(join(home, 'beside.txt'), 'beside')
    const file = join(home, 'function.ts')
    const source = `import { readFileSync } from 'node:fs'
      const read = (name) => { try { return readFileSync(import.meta.dirname + '/' + name, 'utf8').length > 0 } catch (error) { return error.code } }
      export default () => [read('beside.txt'), read('data/credentials.json')]`
    await writeFile(file, source)
    // A vault whose data is in a directory of the package.
    const data = join(home, 'data')
    await (await import('node:fs/promises')).cp(join(home, 'credentials.json'), join(data, 'credentials.json'))
    const ran = await authconn(['function', 'run', file], '', { AUTHCONN_DATA_DIR: data })
    expect(JSON.parse(ran.stdout)).toEqual([true, 'ERR_ACCESS_DENIED'])
  })

  test('what it is given by name', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'authconn-given-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    await writeFile(join(directory, 'in.txt'), 'hello')
    const body = `const fs = await import('node:fs'); fs.writeFileSync(input + '/out.txt', fs.readFileSync(input + '/in.txt')); return process.env.REGION`
    const file = await functionFile(`export default async (input) => { ${body} }`)
    const flags = ['--allow-read', directory, '--allow-write', directory, '--env', 'REGION']
    const { authconn } = current()
    const ran = await authconn(['function', 'run', file, '--input', JSON.stringify(directory), ...flags], '', {
      REGION: 'eu',
    })
    expect(ran).toMatchObject({ exitCode: 0, stdout: '"eu"\n' })
  })

  test('no setting that reaches the vault, and no variable that nobody named', async () => {
    const file = await functionFile('export default () => process.env', 'function.mjs')
    const { authconn } = current()
    const given = { AUTHCONN_API_KEY: 'canary-key', AUTHCONN_URL: 'http://127.0.0.1:9', OTHER: 'canary-other' }
    const { stdout } = await authconn(['function', 'run', file], '', given)
    expect(JSON.parse(stdout)).toHaveProperty('PATH')
    expect(stdout).not.toMatch(/canary|AUTHCONN/)
    expect(await authconn(['function', 'run', file, '--env', 'AUTHCONN_API_KEY'], '', given)).toMatchObject({
      exitCode: 2,
      stdout: '',
    })
  })
})

test.skipIf(process.platform === 'win32')('no signal opens a debugger in the process with the key', async () => {
  const body = `process.kill(process.ppid, 'SIGUSR1'); await new Promise((resolve) => setTimeout(resolve, 500))`
  // Node would say where it listens, or that it cannot.
  expect(await running(body)).toMatchObject({ exitCode: 0, stderr: '' })
})

describe('a token is hidden', () => {
  test.each([
    ['in what is printed', 'console.log("at", access_token + ".")', 'at [secret].\n'],
    ['in complaints', 'console.error({ access_token })', "{ access_token: '[secret]' }\n"],
    ['in a URL', 'console.log(encodeURIComponent(access_token + "/"))', '[secret]%2F\n'],
    ['in base64', 'console.log(Buffer.from(access_token).toString("base64"))', '[secret]\n'],
    [
      'when it comes in pieces',
      'for (const c of access_token) { process.stdout.write(c); await new Promise((r) => setTimeout(r, 2)) }',
      '[secret]',
    ],
    ['when it is cut off', 'process.stdout.write(access_token.slice(0, -1))', '[secret]'],
  ])('%s', async (_, statement, printed) => {
    const { exitCode, stderr } = await running(`${getToken}; ${statement}`)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: printed })
  })

  test('in the result, and in an error', async () => {
    expect((await running(`${getToken}; return [access_token]`)).stdout).toBe('[\n  "[secret]"\n]\n')
    const { stderr } = await running(`${getToken}; throw new Error('not with ' + access_token)`)
    expect(stderr).toContain('Error: not with [secret]')
  })
})

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test.each([
  [['function', 'run'], 'The file of the function is missing'],
  [['function', 'run', '/no/such/a.ts'], 'There is no file /no/such/a.ts'],
  [['function', 'run', example('one-connection'), '--input', '{canary'], '--input is not JSON'],
  [['function', 'run', example('one-connection'), '--timeout', '0'], '--timeout takes a time'],
  [['function', 'run', example('one-connection'), '--allow-read', '/no/such/path'], 'there is no /no/such/path'],
])('%j is not right', async (argv, words) => {
  const { exitCode, stderr } = await current().authconn(argv)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(words)
  expect(stderr).not.toContain('canary')
})
