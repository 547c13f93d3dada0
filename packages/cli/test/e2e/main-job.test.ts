import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { browse } from '@authconn/sandbox'
import { expect, test } from 'vitest'
import { beginAuthorize } from './support/authorization.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

async function secretFile(secret: string): Promise<string> {
  const { env } = current()
  const path = join(env.HOME ?? '', 'client-secret')
  await writeFile(path, `${secret}\n`)
  return path
}

test('the main job: create, authorize, list, token, revoke, delete', async () => {
  const { authconn, sandbox } = current()
  const { client_id, client_secret } = sandbox.client

  const created = await authconn(
    [
      'create',
      '--name',
      'demo',
      '--type',
      'TYPE_OAUTH2',
      '--provider-url',
      sandbox.issuer,
      '--issuer-url',
      sandbox.issuer,
    ].concat('--client-id', client_id, '--client-secret', '-'),
    client_secret,
  )
  expect(created).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Created demo.') })
  expect(created.stdout + created.stderr).not.toContain(client_secret)
  expect(await authconn(['token', 'demo'])).toMatchObject({ exitCode: 5, stdout: '' })

  const authorizing = await beginAuthorize(current(), 'demo', '--scopes', 'openid,email')
  const { page } = await browse(authorizing.notice.authorization_url, { followCallback: true })
  expect((await authorizing.ended).exitCode).toBe(0)
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('is authorized') })
  expect(JSON.parse(authorizing.stdout())).toMatchObject({
    connection: 'demo',
    status: 'completed',
    grant: { status: 'active', scope: 'openid email', refreshable: true },
  })

  const listed = await authconn(['list'])
  expect(listed.stdout).toMatch(/^demo +127\.0\.0\.1:\d+ +alice@example\.com +active +59 min +yes$/m)

  const token = await authconn(['token', 'demo'])
  expect(token).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^\S{20,}\n$/), stderr: '' })
  const userinfo = await fetch(new URL('/userinfo', sandbox.issuer), {
    headers: { authorization: `Bearer ${token.stdout.trim()}` },
  })
  expect(userinfo.status).toBe(200)
  expect(authorizing.stdout() + authorizing.stderr()).not.toContain(token.stdout.trim())

  expect(await authconn(['revoke', 'demo'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Revoked demo.'),
  })
  expect(await authconn(['token', 'demo'])).toMatchObject({
    exitCode: 5,
    stderr: expect.stringContaining('[grant_revoked]'),
  })
  expect(await authconn(['delete', 'demo', '--yes'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Deleted demo.'),
  })
  expect(await authconn(['get', 'demo'])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('[connection_not_found]'),
  })
})

test('the main job in its long form, as JSON, for a subject', async () => {
  const { authconn, sandbox } = current()
  const long = (...args: string[]) => authconn(['workspace', 'authconnection', ...args, '--json'])
  const file = await secretFile(sandbox.client.client_secret)
  const flags = [
    '--provider-url',
    sandbox.issuer,
    '--client-id',
    sandbox.client.client_id,
    '--client-secret-file',
    file,
  ]
  expect(JSON.parse((await long('create', '--name', 'long', ...flags)).stdout)).toMatchObject({
    status: 'pending',
  })

  const authorizing = await beginAuthorize(current(), 'long', '--subject', 'user-17')
  await browse(authorizing.notice.authorization_url, { login: 'bob', followCallback: true })
  expect((await authorizing.ended).exitCode).toBe(0)

  expect(JSON.parse((await long('list')).stdout).connections).toMatchObject([{ name: 'long', status: 'pending' }])
  const subject = ['--name', 'long', '--subject', 'user-17']
  expect(JSON.parse((await long('get', ...subject)).stdout)).toMatchObject({
    subject: 'user-17',
    status: 'active',
  })
  expect(JSON.parse((await long('token', ...subject)).stdout)).toMatchObject({ token_type: 'Bearer' })
  expect(JSON.parse((await long('revoke', ...subject)).stdout)).toMatchObject({
    subject: 'user-17',
    status: 'revoked',
  })
  expect(JSON.parse((await long('delete', '--name', 'long', '--yes')).stdout)).toMatchObject({ name: 'long' })
  await rm(file)
})

test('a token that has ended is refreshed before it is printed', async () => {
  const { authconn, create, sandbox } = current()
  await create('short')
  sandbox.setAccessTokenTtl(1)
  const authorizing = await beginAuthorize(current(), 'short')
  await browse(authorizing.notice.authorization_url, { followCallback: true })
  await authorizing.ended
  sandbox.setAccessTokenTtl(3600)
  await setTimeout(1000)
  const { expires_at } = JSON.parse((await authconn(['token', 'short', '--json'])).stdout)
  expect(Date.parse(expires_at)).toBeGreaterThan(Date.now() + 3_000_000)
  expect(sandbox.stats.tokenRequests.refresh_token).toBeGreaterThan(0)
})
