import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { localVault, withCredentials } from './support/local-vault.ts'
import { run } from './support/run.ts'

const listing = { listConnections: () => ({ connections: [], next: null }) }

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'authconn-cli-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

describe('the vault', () => {
  test('is the one of the environment', async () => {
    const { url, requests } = await fakeVault(listing)
    const env = { AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak_env' }
    expect((await run(['list'], { env })).exitCode).toBe(0)
    expect(requests[0]?.apiKey).toBe('ak_env')
  })

  test('is the one of --vault-url before that of the environment', async () => {
    const { url, requests } = await fakeVault(listing)
    const env = { AUTHCONN_URL: 'https://vault.invalid', AUTHCONN_API_KEY: 'ak_env' }
    expect((await run(['list', '--vault-url', url], { env })).exitCode).toBe(0)
    expect(requests).toHaveLength(1)
  })

  test('is otherwise the one on this machine, with its key', async () => {
    const { env, asked } = await localVault(listing)
    expect((await run(['list'], { env })).exitCode).toBe(0)
    expect(asked()[0]?.apiKey).toBe('ak_local')
  })

  test('on this machine can be asked with another key', async () => {
    const { env, asked } = await localVault(listing)
    expect((await run(['list'], { env: { ...env, AUTHCONN_API_KEY: 'ak_other' } })).exitCode).toBe(0)
    expect(asked()[0]?.apiKey).toBe('ak_other')
  })

  test('on this machine may be named by its address, too', async () => {
    const { url, env, asked } = await localVault(listing)
    expect((await run(['list', '--vault-url', `${url}/`], { env })).exitCode).toBe(0)
    expect(asked()[0]?.apiKey).toBe('ak_local')
  })

  test('elsewhere never gets the key of the one on this machine', async () => {
    const { url, requests } = await fakeVault(listing)
    const { env } = await withCredentials(JSON.stringify({ url: 'http://127.0.0.1:1', api_key: 'ak_local' }))
    const { exitCode, stderr } = await run(['list', '--vault-url', url], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('[unauthenticated]')
    expect(requests).toEqual([])
  })

  test('that nobody named is an error that says where it was looked for', async () => {
    const { exitCode, stderr } = await run(['list'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('[vault_not_configured]')
    expect(stderr).toContain('/nonexistent/authconn/credentials.json')
  })

  test('is not sent the key over plain http to another machine, unless that is said', async () => {
    const env = { AUTHCONN_URL: 'http://192.0.2.1:8787', AUTHCONN_API_KEY: 'ak_canary' }
    const { exitCode, stderr } = await run(['list'], { env })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('plain http')
    expect(stderr).toContain('AUTHCONN_ALLOW_INSECURE_HTTP')
    expect(stderr).not.toContain('ak_canary')
    const typo = await run(['list'], { env: { ...env, AUTHCONN_ALLOW_INSECURE_HTTP: 'yes' } })
    expect(typo).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('true or false') })
  })
})

describe('the API key file', () => {
  test('holds the key, with or without a line break', async () => {
    const { url, requests } = await fakeVault(listing)
    const file = join(await directory(), 'key')
    await writeFile(file, 'ak_file\n')
    const env = { AUTHCONN_URL: url, AUTHCONN_API_KEY_FILE: file }
    expect((await run(['list'], { env })).exitCode).toBe(0)
    expect(requests[0]?.apiKey).toBe('ak_file')
  })

  test('that is missing, empty, or beside the key itself is an error', async () => {
    const file = join(await directory(), 'key')
    const env = { AUTHCONN_URL: 'https://vault.invalid', AUTHCONN_API_KEY_FILE: file }
    expect(await run(['list'], { env })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(file) })
    await writeFile(file, '\n')
    expect(await run(['list'], { env })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('empty') })
    const both = await run(['list'], { env: { ...env, AUTHCONN_API_KEY: 'ak_canary' } })
    expect(both).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('both set') })
    expect(both.stderr).not.toContain('ak_canary')
  })
})

describe('credentials.json', () => {
  test.skipIf(process.platform === 'win32').each([0o640, 0o604, 0o660])('of mode %o is refused', async (mode) => {
    const { file, env } = await withCredentials('{"url":"http://127.0.0.1:1","api_key":"ak_canary"}', mode)
    const { exitCode, stderr } = await run(['list'], { env })
    expect(exitCode).toBe(5)
    expect(stderr).toContain('[key_file_unsafe]')
    expect(stderr).toContain(file)
    expect(stderr).not.toContain('ak_canary')
  })

  test.each([
    'ak_canary',
    '{"api_key":"ak_canary"}',
    '{"url":"nowhere","api_key":"ak_canary"}',
    '{"url":"http://127.0.0.1:1","api_key":"ak_canary"',
  ])('that holds %s is damaged, and not shown', async (content) => {
    const { env } = await withCredentials(content)
    const { exitCode, stderr } = await run(['list'], { env: { ...env, AUTHCONN_DEBUG: '1' } })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('is damaged')
    expect(stderr).not.toContain('canary')
  })
})
