import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { browse } from '@authconn/sandbox'
import { expect, onTestFinished, test } from 'vitest'
import { beginAuthorize } from './support/authorization.ts'
import { startChild, stopChild, vaultPath } from './support/child.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

/** The command line with another key than that of the administrator. */
const withKey = (key: string, ...args: string[]) => current().authconn(args, '', { AUTHCONN_API_KEY: key })

test('the life of a caller: created, used, rotated, revoked, and all of it on record', async () => {
  const { authconn, create } = current()
  for (const name of ['google-dev', 'slack']) await create(name)
  const authorizing = await beginAuthorize(current(), 'google-dev')
  await browse(authorizing.notice.authorization_url, { followCallback: true })
  expect((await authorizing.ended).exitCode).toBe(0)

  const flags = ['--allow', 'token:read', '--connection', 'google-*', '--no-subjects', '--expires', '90d']
  const words = await authconn(['callers', 'create', 'ci', ...flags, '--address', '127.0.0.0/8,::1'])
  expect(words.exitCode).toBe(0)
  const key = /^API key: (\S+)$/m.exec(words.stdout)?.[1] ?? ''
  expect(key).toMatch(/^ack_[0-9A-Za-z]{49}$/)
  expect(await withKey(key, 'token', 'google-dev')).toMatchObject({ exitCode: 0 })
  for (const argv of [
    ['token', 'slack'],
    ['list'],
    ['callers', 'list'],
    ['audit', 'list'],
    ['workspaces', 'list'],
  ]) {
    expect(await withKey(key, ...argv)).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('[permission_denied]'),
    })
  }
  const listed = await authconn(['callers', 'list'])
  expect(listed.stdout).toMatch(/^ci +89 days 23 h +\S+Z +google-\* +none +127\.0\.0\.0\/8, ::1 +token:read$/m)
  expect(listed.stdout).not.toContain(key)

  const rotated = await authconn(['callers', 'rotate', 'ci', '--overlap', '0', '--json'])
  const { api_key } = JSON.parse(rotated.stdout)
  expect((await withKey(key, 'token', 'google-dev')).exitCode).toBe(3)
  expect((await withKey(api_key, 'token', 'google-dev')).exitCode).toBe(0)

  expect((await authconn(['callers', 'revoke', 'ci'])).stdout).toBe('Revoked the caller ci.\n')
  expect(await withKey(api_key, 'token', 'google-dev')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('[invalid_api_key]'),
  })
  expect((await authconn(['callers', 'revoke', 'ci'])).exitCode).toBe(4)

  const audit = await authconn([
    'audit',
    'list',
    '--since',
    '1h',
    '--caller',
    'ci',
    '--outcome',
    'denied',
    '--json',
  ])
  const { records } = JSON.parse(audit.stdout)
  expect(records.map(({ action }: { action: string }) => action)).toEqual([
    'listWorkspaces',
    'listAudit',
    'listCallers',
    'listConnections',
    'getToken',
  ])
  expect(audit.stdout).not.toContain(api_key)
})

test('the audit log is followed until Ctrl-C, and verified', async () => {
  const { authconn, begin } = current()
  const following = begin(['audit', 'list', '--follow', '--limit', '1', '--json'])
  await expect.poll(() => following.stdout(), { timeout: 15_000 }).not.toBe('')
  await authconn(['providers'])
  await expect.poll(() => following.stdout(), { timeout: 15_000 }).toContain('listProviders')
  following.process.kill('SIGINT')
  expect(await following.ended).toEqual({ exitCode: 0, signal: null })
  expect(following.stderr()).toBe('')
  const records = following.stdout().trimEnd().split('\n')
  const ids = records.map((line) => JSON.parse(line).id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBe(2)

  const verified = await authconn(['audit', 'verify'])
  expect(verified).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^Intact: \d+ records and \d+ checkpoints?,/),
  })
  const head = /^Head: (\S+)$/m.exec(verified.stdout)?.[1] ?? ''
  expect((await authconn(['audit', 'verify', '--head', head])).exitCode).toBe(0)
  const forged = `${head.split(':')[0]}:${'0'.repeat(64)}`
  const found = await authconn(['audit', 'verify', '--head', forged])
  expect(found).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/^Not intact: [\s\S]*checkpoint_missing/),
  })
})

test('an operator makes a workspace with the key on its machine, and its administrator works in it', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'authconn-e2e-'))
  onTestFinished(() => rm(dataDir, { recursive: true }))
  const env = { AUTHCONN_DATA_DIR: dataDir, HOME: dataDir, AUTHCONN_PORT: '0' }
  const start = async () => {
    const server = startChild(vaultPath, ['start'], env)
    await expect.poll(() => server.stdout(), { timeout: 40_000 }).toContain('"listening"')
    return server
  }
  // The embedded database is let go of first: the vault makes its keys, and then the operator.
  await stopChild(await start())
  const made = startChild(vaultPath, ['operator-key'], env)
  expect((await made.ended).exitCode).toBe(0)
  const server = await start()
  onTestFinished(() => stopChild(server))

  const authconn = (...args: string[]) => current().authconn(args, '', { AUTHCONN_DATA_DIR: dataDir })
  const created = await authconn('workspaces', 'create', 'acme', '--json')
  expect(created).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await authconn('workspaces', 'list')).stdout).toMatch(/^acme .*\n(?:.*\n)*default .*\noperators /m)
  const { api_key } = JSON.parse(created.stdout).administrator
  const theirs = await current().authconn(['callers', 'list', '--json'], '', {
    AUTHCONN_DATA_DIR: dataDir,
    AUTHCONN_API_KEY: api_key,
  })
  expect(JSON.parse(theirs.stdout).callers.map(({ name }: { name: string }) => name)).toEqual(['admin'])
}, 90_000)
