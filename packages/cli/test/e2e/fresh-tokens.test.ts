import { createServer } from 'node:http'
import { browse } from '@authconn/sandbox'
import { expect, onTestFinished, test } from 'vitest'
import { beginAuthorize } from './support/authorization.ts'
import { useWorld } from './support/world.ts'

const { current } = useWorld()

async function authorize(name: string): Promise<number | null> {
  const authorizing = await beginAuthorize(current(), name)
  await browse(authorizing.notice.authorization_url, { followCallback: true })
  return (await authorizing.ended).exitCode
}

test('a refresh can be forced, and is in the history', async () => {
  const { authconn, create } = current()
  await create('forced')
  expect(await authorize('forced')).toBe(0)
  const first = JSON.parse((await authconn(['token', 'forced', '--json'])).stdout)
  const second = JSON.parse((await authconn(['token', 'forced', '--refresh', '--json'])).stdout)
  expect(second.access_token).not.toBe(first.access_token)
  expect(second.version).not.toBe(first.version)

  const { stdout } = await authconn(['get', 'forced', '--history'])
  expect(stdout).toMatch(/^ {2}access token ends +\S+Z \(59 min\)$/m)
  expect(stdout).toMatch(/^ {2}last refreshed +\S+Z$/m)
  expect(stdout).toMatch(/^ {2}next refresh +\S+Z \(in \d+ min\)$/m)
  expect(stdout).toMatch(/^\S+Z +grant\.refreshed +- +- +-$/m)
  expect(JSON.parse((await authconn(['get', 'forced', '--history', '--json'])).stdout)).toMatchObject({
    name: 'forced',
    failures: 0,
    events: expect.arrayContaining([expect.objectContaining({ type: 'grant.refreshed', connection: 'forced' })]),
  })
})

test('a token that cannot live as long as asked is not printed', async () => {
  const { authconn, create } = current()
  await create('longer')
  expect(await authorize('longer')).toBe(0)
  expect(await authconn(['token', 'longer', '--min-ttl', '2h'])).toMatchObject({
    exitCode: 5,
    stdout: '',
    stderr: expect.stringContaining('[min_ttl_unreachable]'),
  })
  expect((await authconn(['token', 'longer', '--min-ttl', '30m'])).exitCode).toBe(0)
})

test('a token that an API refuses is replaced by a refresh', async () => {
  const { create, sandbox, vault } = current()
  await create('refused')
  expect(await authorize('refused')).toBe(0)
  const { access_token } = await vault.getConnectionToken('refused')
  const refreshes = sandbox.stats.tokenRequests.refresh_token ?? 0
  const api = await picky(`Bearer ${access_token}`)
  const response = await vault.authenticatedFetch('refused')(api, { method: 'POST', body: 'hello' })
  expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'hello' })
  expect(sandbox.stats.tokenRequests.refresh_token).toBe(refreshes + 1)
})

test('a wrong client secret is put right, and nothing else has to be done again', async () => {
  const { authconn, sandbox, vault } = current()
  const argv = ['create', 'mended', '--provider-url', sandbox.issuer, '--client-id', sandbox.client.client_id]
  expect((await authconn([...argv, '--client-secret', '-'], 'canary-wrong')).exitCode).toBe(0)
  expect(await authorize('mended')).toBe(6)
  const updated = await authconn(['update', 'mended', '--client-secret', '-'], sandbox.client.client_secret)
  expect(updated).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Updated mended.') })
  expect(updated.stdout).toMatch(/^ {2}former client secret +used where the new one is refused, until \S+Z \(/m)
  expect(updated.stdout + updated.stderr).not.toContain(sandbox.client.client_secret)
  expect(await authorize('mended')).toBe(0)
  expect((await authconn(['token', 'mended'])).exitCode).toBe(0)

  const argvOfOverlap = ['update', 'mended', '--client-secret', '-', '--overlap', '0', '--json']
  const forgotten = await authconn(argvOfOverlap, sandbox.client.client_secret)
  expect(JSON.parse(forgotten.stdout)).toMatchObject({ former_client_secret_until: null, status: 'active' })
  await expect(vault.getConnectionToken('mended', { forceRefresh: true })).resolves.toMatchObject({ version: 2 })
})

test('an update of a connection that does not exist says so', async () => {
  expect(await current().authconn(['update', 'nope', '--client-secret', '-'], 's3cret')).toMatchObject({
    exitCode: 4,
    stderr: expect.stringContaining('[connection_not_found]'),
  })
})

/** An API that refuses one token and says to all others what it was sent. Resolves to its origin. */
async function picky(refused: string): Promise<string> {
  const server = createServer((request, response) => {
    if (request.headers.authorization === refused) response.writeHead(401).end('refused')
    else request.pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
