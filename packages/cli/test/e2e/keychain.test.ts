import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { fakeVault } from '../support/fake-vault.ts'
import { caller } from '../support/samples.ts'
import { cliPath } from './support/child.ts'

const installed = ['dbus-run-session', 'gnome-keyring-daemon'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
)

async function vaultAndHome() {
  const home = await mkdtemp(join(tmpdir(), 'authconn-keychain-'))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  const { url, requests } = await fakeVault({ getSelf: () => ({ ...caller({ name: 'dev' }), workspace: 'acme' }) })
  const env = { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: home }
  return { home, url, requests, env }
}

test.skipIf(!installed)('a key is kept in a Secret Service, read from it, and gone after logout', async () => {
  const { home, url, requests, env } = await vaultAndHome()
  const authconn = `"${process.execPath}" "${cliPath}"`
  const script = join(home, 'script.sh')
  await writeFile(
    script,
    [
      'set -e',
      'printf pw | gnome-keyring-daemon --unlock --components=secrets > /dev/null 2>&1',
      `printf ack_in-the-keychain | ${authconn} login --vault-url ${url} --store keychain`,
      `${authconn} whoami`,
      `cp "${home}/.config/authconn/profiles/default.json" "${home}/kept.json"`,
      `${authconn} logout`,
      `printf ack_in-the-keychain | ${authconn} login --vault-url ${url} --json | grep key_in`,
      `${authconn} logout`,
    ].join('\n'),
  )
  const { stdout } = await promisify(execFile)('dbus-run-session', ['--', 'sh', script], { env })
  expect(stdout).toContain('its key is in the keychain')
  expect(stdout).toMatch(/key from +the keychain/)
  expect(stdout).toContain('"key_in": "keychain"')
  expect(stdout).toContain('Logged out of default.')
  expect(requests.map(({ apiKey }) => apiKey)).toEqual(Array(3).fill('ack_in-the-keychain'))
  expect(await readFile(join(home, 'kept.json'), 'utf8')).not.toContain('ack_')
})

test.skipIf(process.platform !== 'linux')(
  'without a Secret Service the key goes into a file, and that is said',
  async () => {
    const { url, env } = await vaultAndHome()
    const running = promisify(execFile)(process.execPath, [cliPath, 'login', '--vault-url', url], {
      env: { ...env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' },
    })
    running.child.stdin?.end('ack_x')
    const { stdout, stderr } = await running
    expect(stderr).toMatch(
      /^There is no keychain that can be used \(.+\); the key is kept in a file of mode 0600\.$/m,
    )
    expect(stdout).toContain('profiles/default.json')
  },
)
