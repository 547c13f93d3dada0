import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { AuthconnError, authconnection, createClient } from '../src/index.ts'
import { answerJson, serve } from './support/serve.ts'
import { thrown } from './support/thrown.ts'

const apiKey = 'ak_canary-key-0123456789'

describe('the URL of the vault', () => {
  test.each([
    'https://vault.example.com',
    'http://127.0.0.1:8787',
    'http://127.1:8787',
    'http://[::1]:8787/',
    'http://localhost:8787',
  ])('may be %s', (url) => {
    expect(createClient({ url, apiKey })).toHaveProperty('call')
  })

  test.each([
    'http://vault.example.com',
    'http://10.0.0.8:8787',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://0.0.0.0:8787',
  ])('may not be %s: the key would travel in the clear', async (url) => {
    const error = await thrown(() => createClient({ url, apiKey }))
    expect(error.code).toBe('usage')
    expect(error.detail).toContain('plain http')
    expect(error.hint).toContain('AUTHCONN_ALLOW_INSECURE_HTTP')
  })

  test('may be plain http on a private network when that is said', () => {
    expect(createClient({ url: 'http://10.0.0.8:8787', apiKey, allowInsecureHttp: true })).toHaveProperty('call')
  })

  test.each(['', 'vault', 'ftp://vault', 'https://me:pw@vault', 'https://vault/?a=b', 'https://vault/#a'])(
    'may not be %j',
    async (url) => {
      expect(await thrown(() => createClient({ url, apiKey }))).toMatchObject({ code: 'usage' })
    },
  )
})

describe('the API key', () => {
  test.each(['', 'canary\nx: y', 'canary key', 'canäry'])('%j is refused and not shown', async (key) => {
    const error = await thrown(() => createClient({ url: 'https://vault.example.com', apiKey: key }))
    expect(['unauthenticated', 'invalid_api_key']).toContain(error.code)
    expect(inspect(error)).not.toContain('can')
  })

  test('is in no picture of the client', () => {
    const client = createClient({ url: 'https://vault.example.com', apiKey })
    expect(inspect(client, { depth: null, showHidden: true })).not.toContain(apiKey)
    expect(JSON.stringify(client)).not.toContain(apiKey)
  })
})

describe('authconnection', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('reads the environment at each call', async () => {
    const token = { access_token: 'at', token_type: 'Bearer', expires_at: null, version: 1 }
    vi.stubEnv('AUTHCONN_URL', await serve(answerJson(200, token)))
    vi.stubEnv('AUTHCONN_API_KEY', apiKey)
    expect(await authconnection.getConnectionToken('google')).toEqual(token)
  })

  test('takes the key from a file', async () => {
    const heard: (string | undefined)[] = []
    const token = { access_token: 'at', token_type: 'Bearer', expires_at: null, version: 1 }
    const url = await serve((request, response) => {
      heard.push(request.headers.authorization)
      answerJson(200, token)(request, response)
    })
    const directory = await mkdtemp(join(tmpdir(), 'authconn-sdk-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    await writeFile(join(directory, 'key'), `${apiKey}\n`)
    vi.stubEnv('AUTHCONN_URL', url)
    vi.stubEnv('AUTHCONN_API_KEY', '')
    vi.stubEnv('AUTHCONN_API_KEY_FILE', join(directory, 'key'))
    expect(await authconnection.getConnectionToken('google')).toEqual(token)
    expect(heard).toEqual([`Bearer ${apiKey}`])
  })

  test.each(['yes', '1', 'TRUE'])('refuses %j where true or false is meant', async (value) => {
    vi.stubEnv('AUTHCONN_URL', 'http://192.0.2.1:1')
    vi.stubEnv('AUTHCONN_API_KEY', apiKey)
    vi.stubEnv('AUTHCONN_ALLOW_INSECURE_HTTP', value)
    const error = await thrown(() => authconnection.getConnectionToken('google'))
    expect(error).toMatchObject({ code: 'usage', title: 'A setting is not valid' })
    expect(error.detail).toContain('AUTHCONN_ALLOW_INSECURE_HTTP is true or false')
  })

  test('says which variable is missing', async () => {
    vi.stubEnv('AUTHCONN_URL', 'https://vault.example.com')
    vi.stubEnv('AUTHCONN_API_KEY', '')
    const error = await thrown(() => authconnection.getConnectionToken('google'))
    expect(error).toMatchObject({
      code: 'vault_not_configured',
      detail: 'The environment does not set AUTHCONN_API_KEY.',
    })
  })
})

test('an error made without words takes those of the table', () => {
  const error = new AuthconnError('port_taken')
  expect(error).toMatchObject({ detail: error.title, status: 0, retryAfter: undefined })
  expect(error.hint).toContain('--port')
})
