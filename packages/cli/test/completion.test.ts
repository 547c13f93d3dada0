import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { candidatesFor } from '../src/completion/candidates.ts'
import { cliPath, startChild } from './e2e/support/child.ts'
import { openTerminalWith } from './e2e/support/terminal.ts'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { run } from './support/run.ts'
import { connection } from './support/samples.ts'

const names = {
  connections: async () => ['google-oauth', 'slack'],
  callers: async () => ['ci'],
  trusts: async () => ['deploy'],
  profiles: async () => ['prod', 'local'],
  providers: async () => ['google', 'github', 'slack'],
}

const offered = async (...words: string[]) => {
  const { files, candidates } = await candidatesFor(words, names)
  return files ? ':files' : candidates.map(({ word }) => word)
}

describe('in place of the last word', () => {
  test.each([
    [['tok'], ['token']],
    [
      ['callers', 'r'],
      ['rotate', 'revoke'],
    ],
    [['workspace', ''], ['authconnection']],
    [['workspace', 'authconnection', 'rev'], ['revoke']],
    [
      ['workspace', 'authconnection', 'revoke', ''],
      ['google-oauth', 'slack'],
    ],
    [
      ['token', ''],
      ['google-oauth', 'slack'],
    ],
    [['token', 'sl'], ['slack']],
    [
      ['--json', 'token', ''],
      ['google-oauth', 'slack'],
    ],
    [['--profile', 'prod', 'token', 's'], ['slack']],
    [['token', 'slack', ''], []],
    [['token', '--min-ttl', ''], []],
    [
      ['token', '--min-ttl', '5m', ''],
      ['google-oauth', 'slack'],
    ],
    [['create', ''], []],
    [['get', '--name', 'g'], ['google-oauth']],
    [['callers', 'revoke', ''], ['ci']],
    [['trusts', 'revoke', ''], ['deploy']],
    [['trusts', 'create', ''], []],
    [
      ['trusts', 'create', '--preset', 'gi'],
      ['github', 'gitlab'],
    ],
    [['callers', 'list', '--trust', ''], ['deploy']],
    [['profiles', 'use', 'p'], ['prod']],
    [
      ['providers', 'g'],
      ['google', 'github'],
    ],
    [['create', 'new', '--provider', 'go'], ['google']],
    [['open', '--provider=sl'], ['slack']],
    [['open', 'sl'], ['slack']],
    [
      ['list', '--profile', ''],
      ['prod', 'local'],
    ],
    [['list', '--profile=p'], ['prod']],
    [['list', '--profile', '=', 'p'], ['prod']],
    [
      ['authorize', '--redirect-host', ''],
      ['127.0.0.1', 'localhost', '::1'],
    ],
    [['authorize', '--no-b'], ['--no-browser']],
    [['completion', 'z'], ['zsh']],
    [['help', 'comp'], ['completion']],
    [['create', '--client-secret-file', ''], ':files'],
    [['nonsense', ''], []],
    [['__complete', ''], []],
  ])('of %j: %j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected)
  })

  test('of a flag are those of the command and those of all', async () => {
    expect(await offered('token', '--')).toEqual(
      expect.arrayContaining(['--min-ttl', '--subject', '--json', '--quiet']),
    )
  })
})

const complete = (env: Record<string, string>, ...words: string[]) => {
  const child = startChild(cliPath, ['__complete', '--', ...words], {
    AUTHCONN_CONFIG_DIR: '/nonexistent',
    ...env,
  })
  return child.ended.then(({ exitCode }) => ({ exitCode, stdout: child.stdout(), stderr: child.stderr() }))
}

describe('the names of connections', () => {
  test('come from the vault', async () => {
    const { url } = await fakeVault({ listConnections: () => ({ connections: [connection()], next: null }) })
    expect(await complete({ AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak' }, 'token', '')).toEqual({
      exitCode: 0,
      stdout: 'google-oauth\n',
      stderr: '',
    })
  })

  test('are none, without a word, where there is no vault, no answer in time, or no permission', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const refusing = await fakeVault({
      listConnections() {
        throw new Problem('permission_denied', 'It may not.')
      },
    })
    const nothing = { exitCode: 0, stdout: '', stderr: '' }
    expect(await complete({ AUTHCONN_DATA_DIR: '/nonexistent' }, 'token', '')).toEqual(nothing)
    for (const url of ['http://127.0.0.1:1', refusing.url, `http://127.0.0.1:${port}`]) {
      const began = performance.now()
      expect(await complete({ AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak' }, 'token', '')).toEqual(nothing)
      expect(performance.now() - began).toBeLessThan(5000)
    }
  })
})

test.each(['', 'tcsh'])('no shell is called %j', async (shell) => {
  const { exitCode, stderr } = await run(['completion', ...(shell === '' ? [] : [shell])])
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('bash, zsh, fish') })
})

const has = (program: string) => spawnSync(program, ['--version']).status === 0

/** A directory in which `authconn` is this program, and what a shell needs to find it there, and a vault. */
async function shellWorld() {
  const directory = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const program = join(directory, 'authconn')
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${cliPath}" "$@"\n`)
  await chmod(program, 0o755)
  await writeFile(join(directory, 'secret.txt'), '')
  const { url } = await fakeVault({ listConnections: () => ({ connections: [connection()], next: null }) })
  const env = {
    PATH: `${directory}:${process.env.PATH}`,
    HOME: directory,
    AUTHCONN_URL: url,
    AUTHCONN_API_KEY: 'ak_test-key',
  }
  return { directory, env }
}

const inShell = async (shell: string, script: string) => {
  const { directory, env } = await shellWorld()
  const { stdout, stderr } = await promisify(execFile)(shell, ['-c', script], { env, cwd: directory })
  expect(stderr).toBe('')
  return stdout
}

describe('a real shell completes', () => {
  test.skipIf(!has('bash'))('bash', async () => {
    const at = (...words: string[]) =>
      `COMP_WORDS=(authconn ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _authconn; echo "\${COMPREPLY[*]}"`
    const stdout = await inShell(
      'bash',
      [
        'source <(authconn completion bash)',
        at('callers', 'r'),
        at('token', 'goo'),
        at('create', '--type', '=', 'TYPE'),
        at('create', '--client-secret-file', 'sec'),
        'complete -p authconn',
      ].join('\n'),
    )
    expect(stdout.split('\n').slice(0, 4)).toEqual(['rotate revoke', 'google-oauth', 'TYPE_OAUTH2', 'secret.txt'])
    expect(stdout).toContain('-F _authconn authconn')
  })

  test.skipIf(!has('fish'))('fish', async () => {
    const lines = ['authconn callers r', 'authconn token goo', 'authconn create --type=T']
    const stdout = await inShell(
      'fish',
      ['authconn completion fish | source', ...lines.map((line) => `complete -C "${line}"`)].join('\n'),
    )
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['revoke', 'rotate', 'google-oauth', '--type=TYPE_OAUTH2']),
    )
  })

  test.skipIf(!has('zsh') || process.platform === 'win32')('zsh', async () => {
    const { env } = await shellWorld()
    const terminal = openTerminalWith('zsh', ['-f'], { ...env, PS1: 'ready> ' })
    await terminal.shows('ready>')
    terminal.type('autoload -Uz compinit; compinit -u; source <(authconn completion zsh); echo lo""aded\r')
    await terminal.shows('loaded')
    terminal.type('authconn token goo\t')
    await terminal.shows('authconn token google-oauth')
    terminal.type('\u0015authconn callers r\t\t')
    await terminal.shows('rotate')
    await terminal.shows('revoke')
    terminal.type('\u0015exit\r')
    await terminal.exitCode
  })
})
