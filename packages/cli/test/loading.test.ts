import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { issuedKey, token } from './support/samples.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Tells each module that is loaded, on stderr. */
const spy = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { writeSync } from 'node:fs'
  registerHooks({
    load(url, context, next) {
      writeSync(2, 'LOADED ' + url + '\\n')
      return next(url, context)
    },
  })
`)}`

async function loadedBy(...argv: string[]): Promise<string[]> {
  const env = { PATH: process.env.PATH, AUTHCONN_DATA_DIR: '/nonexistent', AUTHCONN_CONFIG_DIR: '/nonexistent' }
  const ran = promisify(execFile)(process.execPath, ['--import', spy, main, ...argv], { env })
  const { stderr } = await ran.catch((failure: { stderr: string }) => failure)
  const files = stderr.split('\n').filter((line) => line.startsWith('LOADED file:'))
  return files.map((line) => line.replace(/.*\/(packages\/|node_modules\/)/, '$1'))
}

test('--version loads nothing but itself', async () => {
  expect(await loadedBy('--version')).toEqual(['packages/cli/src/main.ts', 'packages/cli/src/version.ts'])
})

test('a command of a group loads no schemas either, and nothing of the other groups', async () => {
  const loaded = await loadedBy('audit', 'verify')
  expect(loaded).toContain('packages/cli/src/commands/audit/verify.ts')
  expect(loaded.filter((file) => /typebox|inquirer|contract|callers|workspaces/.test(file))).toEqual([])
})

test('a command loads its own module, and neither the others nor what it does not use', async () => {
  const loaded = await loadedBy('list')
  expect(loaded).toContain('packages/cli/src/commands/list.ts')
  expect(loaded).toContain('packages/sdk/src/create-client.ts')
  expect(loaded.filter((file) => file.includes('/commands/'))).toEqual(['packages/cli/src/commands/list.ts'])
  expect(
    loaded.filter((file) =>
      /typebox|inquirer|ora\/|open\/|contract|authorize|login|trusts|oauth4webapi/.test(file),
    ),
  ).toEqual([])
})

test.each([
  ['an API key', { AUTHCONN_API_KEY: 'ak_test-key' }],
  ['an OIDC token', { AUTHCONN_ID_TOKEN: 'a.b.c' }],
])(
  "with %s a token is fetched without the platform's fetch, which takes longer to load than all of the command",
  async (_, given) => {
    const { url } = await fakeVault({ getToken: () => token(), exchangeToken: () => issuedKey() })
    const env = { PATH: process.env.PATH, AUTHCONN_URL: url, ...given }
    const told = `data:text/javascript,${encodeURIComponent(`
    import { writeSync } from 'node:fs'
    process.on('exit', () => writeSync(2, process.moduleLoadList.join('\\n')))
  `)}`
    const ran = await promisify(execFile)(process.execPath, ['--import', told, main, 'token', 'a'], { env })
    expect(ran.stdout).toBe('at-1\n')
    expect(ran.stderr).toContain('NativeModule http')
    expect(ran.stderr).not.toContain('undici')
  },
)
