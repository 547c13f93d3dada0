import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { startVaults } from '../../bench/support/vaults.ts'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'

test('vaults share a database, and one that was killed comes back where it was', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'authconn-vaults-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const database = temporaryDatabase(inject('postgresUrl'))
  await database.create()
  onTestFinished(database.drop)
  vi.stubEnv('AUTHCONN_INHERITED', 'a setting that the vault would warn of')
  onTestFinished(() => void vi.unstubAllEnvs())

  const [first, second] = await startVaults({
    count: 2,
    databaseUrl: database.url,
    kek: randomBytes(32).toString('base64'),
    directory,
    environment: { AUTHCONN_GIVEN: 'another' },
  })
  if (!first || !second) throw new Error('there are not two')
  onTestFinished(async () => void (await Promise.all([first.stop(), second.stop()])))
  const { api_key } = JSON.parse(readFileSync(join(first.dataDirectory, 'credentials.json'), 'utf8'))
  const list = async (url: string) =>
    (await fetch(`${url}/v1/connections`, { headers: { authorization: `Bearer ${api_key}` } })).status
  expect(await Promise.all([first, second].map(({ url }) => list(url)))).toEqual([200, 200])
  expect(readFileSync(second.logFile, 'utf8')).toContain('"settings":["AUTHCONN_GIVEN"]')

  const { url, pid } = second
  second.kill('SIGKILL')
  await second.restart()
  expect(second.url).toBe(url)
  expect(second.pid).not.toBe(pid)
  expect(await list(url)).toBe(200)

  second.kill('SIGSTOP')
  await second.stop()
  await second.stop()
  await expect(list(url)).rejects.toThrow()
})
