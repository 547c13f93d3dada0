import { setTimeout } from 'node:timers/promises'
import { browse } from '@authconn/sandbox'
import { describe, expect, test } from 'vitest'
import { beginAuthorize, listens } from './support/authorization.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

test.each(['127.0.0.1', 'localhost', '::1'])('the browser comes back to %s', async (host) => {
  const name = `host-${host.replace(/\W+/g, '-').replace(/^-/, '')}`
  await current().create(name)
  const { notice, ended } = await beginAuthorize(current(), name, '--redirect-host', host)
  expect(notice.redirect_uri).toContain(host)
  const { page } = await browse(notice.authorization_url, { followCallback: true })
  expect(page?.status).toBe(200)
  expect((await ended).exitCode).toBe(0)
})

test('the redirected URL can be pasted from another machine, after something wrong was', async () => {
  await current().create('paste')
  const { notice, ended, process: child, stderr } = await beginAuthorize(current(), 'paste', '--paste')
  const { redirectedUrl } = await browse(notice.authorization_url)
  child.stdin?.write(`${notice.authorization_url}\n`)
  await expect.poll(stderr, { timeout: 10_000 }).toContain('Still waiting')
  child.stdin?.write(`${redirectedUrl}\n`)
  expect(await ended).toEqual({ exitCode: 0, signal: null })
  const { status } = await current().vault.call('getConnection', { params: { name: 'paste' } })
  expect(status).toBe('active')
})

test('a denial is told in the terminal and in the browser, and leaves nothing pending', async () => {
  await current().create('denied')
  const { notice, ended, stderr } = await beginAuthorize(current(), 'denied')
  const { page } = await browse(notice.authorization_url, { consent: 'deny', followCallback: true })
  expect((await ended).exitCode).toBe(8)
  expect(stderr()).toContain('"code":"authorization_denied"')
  expect(page).toMatchObject({ status: 400, text: expect.stringContaining('did not grant') })
  expect(await statusOf(notice.authorization_id)).toBe('failed')
  expect(await listens(notice.redirect_uri)).toBe(false)
})

test('nobody coming back is a timeout: cancelled in the vault, port free', async () => {
  await current().create('late')
  const { notice, ended, stderr } = await beginAuthorize(current(), 'late', '--timeout', '1')
  expect((await ended).exitCode).toBe(8)
  expect(stderr()).toContain('"code":"authorization_timeout"')
  expect(await statusOf(notice.authorization_id)).toBe('failed')
  expect(await listens(notice.redirect_uri)).toBe(false)
})

describe.skipIf(process.platform === 'win32')('a signal', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s: cancelled in the vault, port free', async (signal) => {
    const name = `signal-${signal.toLowerCase()}`
    await current().create(name)
    const { notice, ended, stderr, process: child } = await beginAuthorize(current(), name)
    expect(await listens(notice.redirect_uri)).toBe(true)
    child.kill(signal)
    expect(await ended).toEqual({ exitCode: 130, signal: null })
    expect(stderr()).toContain('"code":"interrupted"')
    expect(await statusOf(notice.authorization_id)).toBe('failed')
    expect(await listens(notice.redirect_uri)).toBe(false)
  })
})

test.skipIf(process.platform === 'win32')(
  'Ctrl-C while the provider is slow to exchange the code: nothing is authorized, here or in the vault',
  async () => {
    await current().create('exchange')
    const { sandbox, vault } = current()
    sandbox.faults.set('token', { kind: 'slow', delayMs: 2000 }, { times: 1 })
    const { notice, ended, stderr, process: child } = await beginAuthorize(current(), 'exchange')
    const page = browse(notice.authorization_url, { followCallback: true })
    const exchanging = () => sandbox.stats.tokenRequests.authorization_code ?? 0
    const before = exchanging()
    await expect.poll(exchanging, { timeout: 10_000 }).toBe(before + 1)
    child.kill('SIGINT')
    expect(await ended).toEqual({ exitCode: 130, signal: null })
    expect(stderr()).toContain('cancelled in the vault')
    expect((await page).page?.status).toBe(400)
    // Until the slow answer has come.
    await setTimeout(2500)
    expect(await statusOf(notice.authorization_id)).toBe('failed')
    expect(await vault.call('getConnection', { params: { name: 'exchange' } })).toMatchObject({
      status: 'pending',
    })
  },
)

test('a stranger with a wrong state gets nothing, and the browser comes back all the same', async () => {
  await current().create('stranger')
  const { notice, ended } = await beginAuthorize(current(), 'stranger')
  const stranger = await fetch(`${notice.redirect_uri}?state=guess&code=c`)
  expect(stranger.status).toBe(400)
  await browse(notice.authorization_url, { followCallback: true })
  expect((await ended).exitCode).toBe(0)
})

async function statusOf(id: string): Promise<string> {
  return (await current().vault.call('getAuthorization', { params: { id } })).status
}
