import { createServer } from 'node:http'
import { browse } from '@authconn/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beginAuthorize } from './support/authorization.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()
const taken = createServer()

beforeAll(async () => {
  await current().create('demo')
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
})
afterAll(() => void taken.close())

const client = ['--client-id', 'x', '--client-secret', '-']

test.each([
  ['an unknown connection', ['get', 'nope'], 4, 'connection_not_found'],
  ['an unknown connection', ['token', 'nope'], 4, 'connection_not_found'],
  ['an unknown connection', ['revoke', 'nope'], 4, 'connection_not_found'],
  ['an unknown connection', ['delete', 'nope', '--yes'], 4, 'connection_not_found'],
  ['an unknown connection', ['authorize', 'nope', '--port', '0'], 4, 'connection_not_found'],
  ['a bad name', ['get', 'Bad_Name'], 2, 'invalid_request'],
  ['a bad name', ['token', '..'], 2, 'invalid_request'],
  [
    'a bad name',
    ['create', 'Bad_Name', '--provider-url', 'https://accounts.google.com', ...client],
    2,
    'invalid_request',
  ],
  [
    'a name that exists',
    ['create', 'demo', '--provider-url', 'https://accounts.google.com', ...client],
    5,
    'connection_exists',
  ],
  ['a URL that is none', ['create', 'a', '--provider-url', 'nonsense', ...client], 2, 'provider_url_invalid'],
  [
    'a provider without TLS',
    ['create', 'a', '--provider-url', 'http://id.example', ...client],
    2,
    'provider_url_invalid',
  ],
  [
    'a private address',
    ['create', 'a', '--provider-url', 'https://10.0.0.1', ...client],
    2,
    'provider_address_refused',
  ],
  ['no provider there', ['create', 'a', '--provider-url', 'http://127.0.0.1:1', ...client], 6, 'discovery_failed'],
  ['a subject without a grant', ['get', 'demo', '--subject', 'nobody'], 4, 'grant_not_found'],
  ['a subject without a grant', ['revoke', 'demo', '--subject', 'nobody'], 4, 'grant_not_found'],
  ['a connection not authorized yet', ['token', 'demo'], 5, 'grant_pending'],
  ['a scope that is none', ['authorize', 'demo', '--port', '0', '--scopes', 'a"b'], 2, 'invalid_request'],
  ['a subject that is none', ['token', 'demo', '--subject', ''], 2, 'invalid_request'],
  ['a vault that is not there', ['list', '--vault-url', 'http://127.0.0.1:9'], 3, 'unauthenticated'],
])('%s: %j', async (_, args, exitCode, code) => {
  const { authconn } = current()
  const words = await authconn(args, 's3cret')
  expect(words).toMatchObject({ exitCode, stdout: '' })
  expect(words.stderr).toContain(`[${code}]`)
  expect(words.stderr).toContain('What to do: ')
  expect(words.stderr).not.toMatch(/^\s+at .*:\d+/m)
  const json = await authconn([...args, '--json'], 's3cret')
  expect(json).toMatchObject({ exitCode, stdout: '' })
  expect(JSON.parse(json.stderr)).toMatchObject({ code, exit_code: exitCode, hint: expect.any(String) })
})

test.each([
  ['--scopes', '"x', 'must be: Visible ASCII characters'],
  ['--subject', '', 'must be: 1 to 255 characters'],
])('%s %j is refused in words', async (flag, value, words) => {
  const { stderr } = await current().authconn(['authorize', 'demo', '--port', '0', flag, value])
  expect(stderr).toContain(words)
  expect(stderr).not.toContain('pattern')
})

test('a taken port', async () => {
  const address = taken.address()
  const port = String(typeof address === 'object' ? address?.port : '')
  const { exitCode, stderr } = await current().authconn(['authorize', 'demo', '--port', port])
  expect(exitCode).toBe(5)
  expect(stderr).toContain(`port ${port} of 127.0.0.1`)
  expect(stderr).toContain('[port_taken]')
})

test('a wrong client secret shows at the end of the consent flow, in the terminal and in the browser', async () => {
  const { authconn, sandbox } = current()
  const argv = ['create', 'wrong', '--provider-url', sandbox.issuer, '--client-id', sandbox.client.client_id]
  expect((await authconn([...argv, '--client-secret', '-'], 'canary-wrong')).exitCode).toBe(0)
  const authorizing = await beginAuthorize(current(), 'wrong')
  const { page } = await browse(authorizing.notice.authorization_url, { followCallback: true })
  expect((await authorizing.ended).exitCode).toBe(6)
  expect(authorizing.stderr()).toContain('"code":"client_rejected"')
  expect(page).toMatchObject({
    status: 400,
    text: expect.stringContaining('does not accept the client id or client secret'),
  })
  expect(authorizing.stderr() + page?.text).not.toContain('canary-wrong')
})

test('a revoked or wrong API key', async () => {
  const { env, authconn } = current()
  env.AUTHCONN_API_KEY = 'ak_canary-wrong'
  const { exitCode, stderr } = await authconn(['list'])
  delete env.AUTHCONN_API_KEY
  expect(exitCode).toBe(3)
  expect(stderr).toContain('[invalid_api_key]')
  expect(stderr).not.toContain('canary')
})
