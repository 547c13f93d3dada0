import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { browse } from '@authconn/sandbox'
import { describe, expect, test } from 'vitest'
import { listens } from './support/authorization.ts'
import { cliPath } from './support/child.ts'
import { keys, openTerminal, openTerminalWith } from './support/terminal.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

// There is no pseudo-terminal on Windows that takes these keys.
describe.skipIf(process.platform === 'win32')('in a terminal', () => {
  test('create asks for what is missing, refuses a name that cannot be, and does not show the secret', async () => {
    const { env, sandbox, create, vault } = current()
    const { client_id, client_secret } = sandbox.client
    await create('taken')
    const terminal = openTerminal(['create'], env)
    await terminal.answer('Name of the connection', 'Bad_Name')
    await terminal.shows('lowercase letters')
    await terminal.answer('lowercase letters', `${keys.clearLine}taken`)
    await terminal.answer(/taken already[\s\S]*Name of the connection/, 'asked')
    await terminal.answer('Provider URL', 'accounts.google.com')
    await terminal.answer('a whole URL', `${keys.clearLine}http://id.example`)
    await terminal.answer('an https URL', `${keys.clearLine}${sandbox.issuer}`)
    await terminal.answer('Client id', client_id)
    await terminal.answer('Client secret', client_secret)
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).toContain('Created asked.')
    expect(terminal.shown()).toContain('*'.repeat(client_secret.length))
    expect(terminal.shown()).not.toContain(client_secret)
    await expect(vault.call('getConnection', { params: { name: 'asked' } })).resolves.toMatchObject({ client_id })
  })

  test('a secret that is to come from standard input is asked for without being shown', async () => {
    const { env, sandbox } = current()
    const { client_id, client_secret } = sandbox.client
    const argv = [
      'create',
      'typed',
      '--provider-url',
      sandbox.issuer,
      '--client-id',
      client_id,
      '--client-secret',
      '-',
    ]
    const terminal = openTerminal(argv, env)
    await terminal.answer('Client secret', client_secret)
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).not.toContain(client_secret)
  })

  test('questions go to stderr: stdout holds the result only', async () => {
    const { env, create } = current()
    await create('piped')
    const file = join(env.HOME ?? '', 'stdout')
    const command = `"${process.execPath}" "${cliPath}" delete piped --json > "${file}"`
    const terminal = openTerminalWith('/bin/sh', ['-c', command], env)
    await terminal.answer('Delete piped', 'y')
    expect(await terminal.exitCode).toBe(0)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ name: 'piped' })
  })

  test('delete does nothing unless that is confirmed', async () => {
    const { env, create, vault } = current()
    await create('kept')
    const terminal = openTerminal(['delete', 'kept'], env)
    await terminal.answer('Delete kept', '')
    expect(await terminal.exitCode).toBe(130)
    expect(terminal.shown()).toContain('not confirmed')
    await expect(vault.call('getConnection', { params: { name: 'kept' } })).resolves.toBeDefined()
  })

  test('a command without a name offers the connections', async () => {
    const { env, create } = current()
    await create('aaa-first')
    const terminal = openTerminal(['get'], env)
    await terminal.answer('Which connection?', '')
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).toMatch(/client id +sandbox-client/)
  })

  test.each([
    ['Ctrl-C', keys.ctrlC],
    ['Ctrl-D', keys.ctrlD],
  ])('%s at a question ends the command with 130 and no stack', async (_, key) => {
    const terminal = openTerminal(['create'], current().env)
    await terminal.shows('Name of the connection')
    terminal.type(key)
    expect(await terminal.exitCode).toBe(130)
    expect(terminal.shown()).toContain('[interrupted]')
    expect(terminal.shown()).not.toMatch(/^\s+at .*:\d+/m)
  })

  test('Ctrl-C during authorize cancels it in the vault and frees the port', async () => {
    const { env, create } = current()
    await create('interrupted')
    const terminal = openTerminal(['authorize', 'interrupted', '--port', '0'], env)
    await terminal.shows('paste it here')
    const redirectUri = /http:\/\/127\.0\.0\.1:\d+\/callback/.exec(terminal.shown())?.[0] ?? ''
    expect(await listens(redirectUri)).toBe(true)
    terminal.type(keys.ctrlC)
    expect(await terminal.exitCode).toBe(130)
    expect(terminal.shown()).toContain('cancelled in the vault')
    expect(await listens(redirectUri)).toBe(false)
  })

  test('the redirected URL can be pasted, however long', async () => {
    const { env, create, vault } = current()
    await create('pasted')
    const terminal = openTerminal(['authorize', 'pasted', '--port', '0', '--no-browser'], env)
    await terminal.shows('paste it here')
    const url = /http\S+\/authorize\?\S+/.exec(terminal.shown().replace(/\r\n(?=\S)/g, ''))?.[0] ?? ''
    const { redirectedUrl } = await browse(url)
    terminal.type(`${redirectedUrl}&padding=${'x'.repeat(6000)}${keys.enter}`)
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).toContain('Authorized pasted.')
    await expect(vault.call('getConnection', { params: { name: 'pasted' } })).resolves.toMatchObject({
      status: 'active',
    })
  })

  test('a wait that takes long is shown, and its trace wiped away', async () => {
    const { env, sandbox } = current()
    const { client_id, client_secret } = sandbox.client
    sandbox.faults.set('discovery', { kind: 'slow', delayMs: 1500 }, { times: 1 })
    const file = join(env.HOME ?? '', 'secret')
    await writeFile(file, client_secret)
    const flags = ['--provider-url', sandbox.issuer, '--client-id', client_id, '--client-secret-file', file]
    const terminal = openTerminal(['create', 'slow', ...flags], env)
    await terminal.shows('Creating the connection')
    expect(await terminal.exitCode).toBe(0)
    expect(terminal.shown()).toContain('Created slow.')
    expect(terminal.raw()).toMatch(/\u001b\[\?25l[\s\S]*\u001b\[\?25h/)
  })

  test('colors are left out with NO_COLOR', async () => {
    const { env } = current()
    const plain = openTerminal(['get', 'nope'], { ...env, NO_COLOR: '1' })
    expect(await plain.exitCode).toBe(4)
    expect(plain.raw()).not.toContain('\u001b[')
    const painted = openTerminal(['get', 'nope'], env)
    expect(await painted.exitCode).toBe(4)
    expect(painted.raw()).toContain('\u001b[31m')
  })
})
