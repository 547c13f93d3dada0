import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { authorized } from './support/authorized.ts'
import { cliPath, startChild } from './support/child.ts'
import { openTerminal } from './support/terminal.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

const node = process.execPath
const run = (...argv: string[]) => current().authconn(['run', ...argv])

beforeAll(async () => {
  for (const name of ['google-oauth', 'quickbooks']) await authorized(current(), name)
  await current().create('never-authorized')
}, 60_000)

const tokenOf = async (name: string) => (await current().vault.getConnectionToken(name)).access_token

describe('the program', () => {
  test('has the tokens in its environment, and prints by itself', async () => {
    const script = 'process.stdout.write(process.env.A + " " + process.env.B); process.stderr.write("talk")'
    expect(await run('--token', 'A=google-oauth', '--token', 'B=quickbooks', '--', node, '-e', script)).toEqual({
      exitCode: 0,
      stdout: `${await tokenOf('google-oauth')} ${await tokenOf('quickbooks')}`,
      stderr: 'talk',
    })
  })

  test('gets the rest of the environment, without the settings of authconn, and no former value', async () => {
    const { env, authconn } = current()
    const credentials = { ...env, AUTHCONN_DEBUG: '0', A: 'former', OTHER: 'kept', authconn_api_key: 'x' }
    const argv = ['run', '--token', 'A=google-oauth', '--', node, '-p', 'JSON.stringify(process.env)']
    const { stdout } = await authconn(argv, '', credentials)
    const given: Record<string, string> = JSON.parse(stdout)
    expect(given).toMatchObject({ A: await tokenOf('google-oauth'), OTHER: 'kept', HOME: env.HOME })
    expect(Object.keys(given).filter((name) => /authconn/i.test(name))).toEqual([])
  })

  test('gets its arguments as they are, also those that look like flags', async () => {
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))'
    const args = ['--json', '--help', '--token', '', 'a b', '--', '*']
    const { stdout } = await run('--token', 'A=google-oauth', '--', node, '-e', script, '--', ...args)
    expect(JSON.parse(stdout)).toEqual(args)
  })

  test('reads the standard input', async () => {
    const argv = ['run', '--token', 'A=google-oauth', '--', node, '-e', 'process.stdin.pipe(process.stdout)']
    expect((await current().authconn(argv, 'hello')).stdout).toBe('hello')
  })

  test.each([0, 1, 3, 130, 255])('ends with exit code %i, and so does the command', async (code) => {
    const { exitCode, stderr } = await run('--token', 'A=google-oauth', '--', node, '-e', `process.exit(${code})`)
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: '' })
  })

  test.each(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP'] as const)(
    'is ended by %s, and so is the command',
    async (name) => {
      const script = `process.kill(process.pid, '${name}'); setTimeout(() => {}, 9e5)`
      const child = current().begin(['run', '--token', 'A=google-oauth', '--', node, '-e', script])
      expect(await child.ended).toEqual({ exitCode: null, signal: name })
    },
  )

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
    'is sent the %s that the command is sent, as often as it is',
    async (name) => {
      const script = `let n = 0
        process.on('${name}', () => { console.log('got ' + ++n); if (n === 3) process.exit(7) })
        setTimeout(() => {}, 9e5); console.log('ready')`
      const child = current().begin(['run', '--token', 'A=google-oauth', '--', node, '-e', script])
      await expect.poll(() => child.stdout(), { timeout: 10_000 }).toBe('ready\n')
      let expected = 'ready\n'
      for (const n of [1, 2, 3]) {
        child.process.kill(name)
        expected += `got ${n}\n`
        await expect.poll(() => child.stdout(), { timeout: 10_000 }).toBe(expected)
      }
      expect(await child.ended).toEqual({ exitCode: 7, signal: null })
    },
  )

  test('in a terminal is interrupted once by Ctrl-C, and has the terminal to itself', async () => {
    const script = `let n = 0
      process.on('SIGINT', () => n++)
      console.log('terminal ' + process.stdin.isTTY)
      setTimeout(() => { console.log('interrupted ' + n); process.exit(n) }, 3000)`
    const terminal = openTerminal(['run', '--token', 'A=google-oauth', '--', node, '-e', script], current().env)
    await terminal.shows('terminal true')
    terminal.type('\u0003')
    await terminal.shows('interrupted 1')
    expect(await terminal.exitCode).toBe(1)
  })
})

test('nothing is written to disk', async () => {
  const { env } = current()
  const before = await readdir(env.HOME ?? '', { recursive: true })
  const directory = await mkdtemp(join(tmpdir(), 'authconn-run-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const child = spawn(node, [cliPath, 'run', '--token', 'A=google-oauth', '--', node, '-e', ''], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...env, TMPDIR: directory },
  })
  expect((await once(child, 'close'))[0]).toBe(0)
  expect(await readdir(directory)).toEqual([])
  const ofDatabase = (path: string) => /^(?:db|database|pgdata|pg)/.test(path) || path.includes('/pg_wal')
  const added = (await readdir(env.HOME ?? '', { recursive: true })).filter((path) => !before.includes(path))
  expect(added.filter((path) => !ofDatabase(path))).toEqual([])
})

test('--refresh gets tokens whose whole life is ahead', async () => {
  const before = await tokenOf('google-oauth')
  const { stdout } = await run('--refresh', '--token', 'A=google-oauth', '--', node, '-p', 'process.env.A')
  expect(stdout.trim()).toMatch(/^\S{20,}$/)
  expect(stdout.trim()).not.toBe(before)
  expect(stdout.trim()).toBe(await tokenOf('google-oauth'))
})

describe('nothing is run', () => {
  const touch = [node, '-e', 'console.log("ran")']

  test('when one of the tokens cannot be had', async () => {
    expect(await run('--token', 'A=google-oauth', '--token', 'B=never-authorized', '--', ...touch)).toMatchObject({
      exitCode: 5,
      stdout: '',
      stderr: expect.stringContaining('[grant_pending]'),
    })
  })

  test('when no token lives that long', async () => {
    expect(await run('--min-ttl', '20h', '--token', 'A=google-oauth', '--', ...touch)).toMatchObject({
      exitCode: 5,
      stdout: '',
      stderr: expect.stringContaining('[min_ttl_unreachable]'),
    })
  })

  test.each([
    [[], 'Give --token VAR=NAME'],
    [['--token', 'google-oauth'], '--token takes VAR=NAME'],
    [['--token', '=google-oauth'], '--token takes VAR=NAME'],
    [['--token', 'A='], '--token takes VAR=NAME'],
    [['--token', '1A=google-oauth'], 'begins with no digit'],
    [['--token', 'A-B=google-oauth'], 'letters, digits and underscores'],
    [['--token', 'AUTHCONN_API_KEY=google-oauth'], 'settings of authconn itself'],
    [['--token', 'A=google-oauth', '--token', 'A=quickbooks'], 'gives A twice'],
  ])('by a command that is not right: %j', async (flags, words) => {
    const { exitCode, stdout, stderr } = await run(...flags, '--', ...touch)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(words)
  })

  test('without a command', async () => {
    expect(await run('--token', 'A=google-oauth')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('The command to run is missing'),
    })
  })

  test('that is not there, or is no program', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'authconn-run-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const file = join(directory, 'data')
    await writeFile(file, 'text')
    await chmod(file, 0o644)
    for (const [program, words] of [
      ['no-such-program-here', 'there is no such program'],
      [file, 'it may not be run'],
    ] as const) {
      const { exitCode, stderr } = await run('--token', 'A=google-oauth', '--', program)
      expect(exitCode).toBe(2)
      expect(stderr).toContain(words)
    }
  })

  test('when the command is stopped while it fetches', async () => {
    const silent = { AUTHCONN_URL: 'http://127.0.0.1:1', AUTHCONN_API_KEY: 'ak_x' }
    const child = startChild(cliPath, ['run', '--token', 'A=google-oauth', '--', ...touch], {
      ...current().env,
      ...silent,
    })
    child.process.kill('SIGTERM')
    const { exitCode, signal } = await child.ended
    expect(exitCode === 0).toBe(false)
    expect(signal === null || signal === 'SIGTERM').toBe(true)
    expect(child.stdout()).toBe('')
  })
})
