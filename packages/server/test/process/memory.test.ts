import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  directoryWithDatabase,
  runServer,
  startVaultProcess,
  temporaryDirectory,
} from '../support/vault-process.ts'

describe('start is refused', () => {
  test.each([
    ['NODE_OPTIONS', '--inspect=127.0.0.1:0', 'A debugger is open'],
    ['NODE_OPTIONS', '--heapsnapshot-signal=SIGUSR2', '--heapsnapshot-signal is given in NODE_OPTIONS'],
    ['NODE_OPTIONS', '--heapsnapshot_near_heap_limit=1', '--heapsnapshot-near-heap-limit is given'],
    ['NODE_OPTIONS', '--heap-prof', '--heap-prof is given'],
    ['NODE_OPTIONS', '--abort-on-uncaught-exception', '--abort-on-uncaught-exception is given'],
    ['NODE_OPTIONS', '--tls-keylog=keys', '--tls-keylog is given'],
    ['NODE_DEBUG', 'http', 'NODE_DEBUG'],
    ['DEBUG', 'express,ioredis:*', 'ioredis'],
  ])('with %s=%s', async (name, value, words) => {
    // A heap profile is written at the end even so, and shows functions alone.
    const elsewhere = name === 'NODE_OPTIONS' ? ` --diagnostic-dir=${temporaryDirectory()}` : ''
    const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), [name]: value + elsewhere }
    const { code, stdout, stderr } = await runServer(['start', '--port', '0'], env)
    expect(stderr).toContain('inspection_refused')
    expect(stderr).toContain(words)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(readdirSync(env.AUTHCONN_DATA_DIR)).toEqual([])
  })

  test.each([['migrate'], ['admin-key'], ['operator-key']])(
    'as %s is, which holds the keys too',
    async (command) => {
      const env = { AUTHCONN_DATA_DIR: temporaryDirectory(), NODE_OPTIONS: '--inspect=127.0.0.1:0' }
      expect(await runServer([command], env)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('inspection_refused'),
      })
    },
  )
})

test('for development a debugger can be allowed, and the log warns of it', { timeout: 60_000 }, async () => {
  const vault = await startVaultProcess({
    AUTHCONN_DATA_DIR: directoryWithDatabase(),
    NODE_OPTIONS: '--inspect=127.0.0.1:0',
    AUTHCONN_ALLOW_INSPECT: 'true',
  })
  expect(vault.output().stderr).toContain('Debugger listening')
  expect(vault.output().stdout).toContain('AUTHCONN_ALLOW_INSPECT is on')
})

test.skipIf(process.platform === 'win32')(
  'SIGUSR1 opens no debugger in a running vault',
  { timeout: 60_000 },
  async () => {
    const vault = await startVaultProcess({ AUTHCONN_DATA_DIR: directoryWithDatabase() })
    process.kill(vault.pid ?? 0, 'SIGUSR1')
    await sleep(500)
    expect(vault.output().stderr).not.toContain('Debugger')
    expect(await listens(9229)).toBe(false)
    expect((await vault.call('listConnections')).status).toBe(200)
  },
)

describe('a crash', { timeout: 60_000 }, () => {
  const kek = randomBytes(32).toString('base64')
  const token = `ya29.${randomBytes(40).toString('base64url')}`
  const password = 'short-pass'
  const secrets = [kek, token, password]
  /** Runs inside the vault on SIGUSR2, as a defect would. */
  const defects = {
    'an exception': `throw new Error(text, { cause: new TypeError('no: ' + text) })`,
    'a rejection that nobody handles': `Promise.reject(Object.assign(new Error(text), { body: text }))`,
    'a rejection with what is no error': `Promise.reject(text)`,
    'a diagnostic report': `process.report.writeReport(new Error('no token here')); process.exit(7)`,
  }

  test.each(Object.entries(defects))('by %s shows no secret', async (what, defect) => {
    const directory = temporaryDirectory()
    const script = join(directory, 'defect.mjs')
    // In several lines, as the stack begins with the message.
    const text = `went wrong with ${token}\\n    and ${kek}\\nand postgres://user:${password}@host/db`
    writeFileSync(script, `const text = "${text}"\nprocess.on('SIGUSR2', () => { ${defect} })\n`)
    const vault = await startVaultProcess({
      AUTHCONN_DATA_DIR: directoryWithDatabase(),
      AUTHCONN_KEK: kek,
      AUTHCONN_REDIS_URL: `redis://user:${password}@127.0.0.1:1/0`,
      NODE_OPTIONS: `--import=${pathToFileURL(script)} --report-directory=${directory}`,
    })
    const code = await vault.end('SIGUSR2')
    const { stdout, stderr } = vault.output()
    expect(code).toBe(what.endsWith('report') ? 7 : 1)
    const report = readdirSync(directory).find((name) => name.startsWith('report.'))
    expect(report !== undefined).toBe(what.endsWith('report'))
    const all = stdout + stderr + (report ? readFileSync(join(directory, report), 'utf8') : '')
    // That it was this crash, and is told.
    expect(all).toContain(what.endsWith('report') ? 'no token here' : 'uncaught exception')
    for (const secret of secrets) expect(all).not.toContain(secret)
  })
})

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
  })
}
