import { createServer } from 'node:http'
import { proveVault } from '@authconn/shared/local'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fakeVault } from './support/fake-vault.ts'
import { localVault, withCredentials } from './support/local-vault.ts'
import { run } from './support/run.ts'
import { connection } from './support/samples.ts'

const listing = { listConnections: () => ({ connections: [], next: null }) }
const create = ['create', 'a', '--provider-url', 'https://accounts.google.com', '--client-id', 'x']

test('a vault on this machine proves itself before it is sent the key, with a challenge never used before', async () => {
  const vault = await localVault(listing)
  expect((await run(['list'], { env: vault.env })).exitCode).toBe(0)
  expect((await run(['list'], { env: vault.env })).exitCode).toBe(0)
  expect(vault.requests.map(({ operation, apiKey }) => [operation, apiKey])).toEqual([
    ['getHealth', undefined],
    ['listConnections', 'ak_local'],
    ['getHealth', undefined],
    ['listConnections', 'ak_local'],
  ])
  const challenges = vault.requests.flatMap(({ query }) => query.challenge ?? [])
  expect(new Set(challenges).size).toBe(2)
  for (const challenge of challenges) expect(challenge).toMatch(/^[A-Za-z0-9_-]{43}$/)
})

describe('a stranger on the port of a vault that has stopped is sent nothing secret', () => {
  const other = 'A'.repeat(43)
  test.each([
    ['nothing of a proof', () => ({ status: 'ok' as const })],
    ['an empty proof', () => ({ status: 'ok' as const, proof: '' })],
    [
      'the proof of another key',
      ({ query }: { query: Record<string, string> }) => ({
        status: 'ok' as const,
        proof: proveVault(other, query.challenge ?? ''),
      }),
    ],
    [
      'the proof of an empty key',
      ({ query }: { query: Record<string, string> }) => ({
        status: 'ok' as const,
        proof: proveVault('', query.challenge ?? ''),
      }),
    ],
  ])('when it answers with %s', async (_, getHealth) => {
    const vault = await localVault({ ...listing, getHealth, createConnection: () => connection() })
    const listed = await run(['list'], { env: vault.env })
    expect(listed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('[vault_not_genuine]') })
    expect(listed.stderr).toContain(vault.file)
    const created = await run([...create, '--client-secret', '-'], { env: vault.env, stdin: 'canary' })
    expect(created).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('[vault_not_genuine]') })
    expect(vault.requests.map(({ operation, apiKey }) => [operation, apiKey])).toEqual([
      ['getHealth', undefined],
      ['getHealth', undefined],
    ])
  })

  test('when it sends on to a vault that can prove itself', async () => {
    const vault = await localVault(listing)
    const heard: (string | undefined)[] = []
    const url = await stranger((request, response) => {
      heard.push(request.url, request.headers.authorization)
      response.writeHead(307, { location: `${vault.url}${request.url}` }).end()
    })
    const content = JSON.stringify({ url, api_key: 'ak_local', proof_key: vault.key })
    const { env } = await withCredentials(content)
    const { exitCode, stderr } = await run(['list'], { env })
    expect(stderr).toContain('[vault_not_genuine]')
    expect(exitCode).toBe(3)
    expect(heard).toEqual([expect.stringMatching(/^\/healthz\?challenge=/), undefined])
    expect(vault.requests).toEqual([])
  })

  test('when its answer does not end', async () => {
    const url = await stranger((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const send = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65536, ' ')));
      }
      response.on('drain', send)
      send()
    })
    const { env } = await withCredentials(JSON.stringify({ url, api_key: 'ak_local', proof_key: other }))
    expect(await run(['list'], { env })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('[vault_not_genuine]'),
    })
  })

  test('when it comes between two requests of one command', async () => {
    const { key, ...vault } = await localVault({
      listConnections: ({ query }) =>
        query.after === undefined ? { connections: [], next: 'b' } : { connections: [], next: null },
      getHealth: ({ query }) => {
        const first = vault.requests.length === 1
        return { status: 'ok', proof: proveVault(first ? key : other, query.challenge ?? '') }
      },
    })
    expect((await run(['list'], { env: vault.env })).stderr).toContain('[vault_not_genuine]')
    expect(vault.asked()).toHaveLength(1)
  })
})

test.each([['{}'], ['{"proof_key":""}'], ['{"proof_key":"AAAA"}'], ['{"proof_key":null}']])(
  'credentials with %s ask for a restart of the vault, and send nothing',
  async (part) => {
    const { url, requests } = await fakeVault(listing)
    const { env } = await withCredentials(JSON.stringify({ url, api_key: 'ak_local', ...JSON.parse(part) }))
    const { exitCode, stderr } = await run(['list'], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('[vault_not_genuine]')
    expect(stderr).toContain('Restart the vault')
    expect(requests).toEqual([])
  },
)

test('a vault on this machine that does not run is unreachable', async () => {
  const content = { url: 'http://127.0.0.1:9', api_key: 'ak_local', proof_key: 'A'.repeat(43) }
  const { env } = await withCredentials(JSON.stringify(content))
  const { exitCode, stderr } = await run(['list'], { env })
  expect(exitCode).toBe(7)
  expect(stderr).toContain('[vault_unreachable]')
})

async function stranger(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
