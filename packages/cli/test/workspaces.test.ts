import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Workspace } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { localVault } from './support/local-vault.ts'
import { run } from './support/run.ts'
import { createdCaller } from './support/samples.ts'

const workspace = (name: string): Workspace => ({
  id: '9a1b7c1e-0f0b-4c39-9a59-6c1f3c1f7e11',
  name,
  created_at: '2026-01-01T00:00:00.000Z',
})
const created = { ...workspace('acme'), administrator: createdCaller({ name: 'admin' }) }

describe('workspaces create', () => {
  test("shows the administrator's key once", async () => {
    const { url, requests } = await fakeVault({ createWorkspace: () => created })
    const { exitCode, stdout, stderr } = await run(['workspaces', 'create', 'acme'], { url })
    expect(exitCode).toBe(0)
    expect(requests[0]?.body).toEqual({ name: 'acme' })
    expect(stdout).toMatch(/^Made the workspace acme\. Its administrator is admin:\n/)
    expect(stdout).toMatch(/\n\nAPI key: ack_shown-once\n$/)
    expect(stderr).toContain('shown this once')
  })

  test('gives all as JSON', async () => {
    const { url } = await fakeVault({ createWorkspace: () => created })
    const { stdout, stderr } = await run(['workspaces', 'create', 'acme', '--json'], { url })
    expect(JSON.parse(stdout)).toEqual(created)
    expect(stderr).toBe('')
  })

  test('wants a name', async () => {
    const { exitCode, stderr } = await run(['workspaces', 'create'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('The name of the workspace is missing')
  })
})

test('workspaces list prints a table, following pages', async () => {
  const { url, requests } = await fakeVault({
    listWorkspaces: ({ query }) =>
      query.after === undefined
        ? { workspaces: [workspace('acme')], next: 'acme' }
        : { workspaces: [workspace('default')], next: null },
  })
  expect((await run(['workspaces', 'list'], { url })).stdout.split('\n')).toEqual([
    'NAME     CREATED                   ID',
    'acme     2026-01-01T00:00:00.000Z  9a1b7c1e-0f0b-4c39-9a59-6c1f3c1f7e11',
    'default  2026-01-01T00:00:00.000Z  9a1b7c1e-0f0b-4c39-9a59-6c1f3c1f7e11',
    '',
  ])
  expect(requests.map(({ query }) => query.after)).toEqual([undefined, 'acme'])
  expect(JSON.parse((await run(['workspaces', 'list', '--json'], { url })).stdout).workspaces).toHaveLength(2)
})

test('a refusal says that this is for operators', async () => {
  const { url } = await fakeVault({
    listWorkspaces: () => {
      throw new Problem('permission_denied', 'The key "admin" does not hold vault:operate')
    },
  })
  const { exitCode, stderr } = await run(['workspaces', 'list'], { url })
  expect(exitCode).toBe(3)
  expect(stderr).toContain('does not hold vault:operate')
  expect(stderr).toContain('authconn-server operator-key')
  expect(stderr).toContain('req-1')
})

describe("an operator's key on this machine", () => {
  const answers = {
    listWorkspaces: () => ({ workspaces: [], next: null }),
    listConnections: () => ({ connections: [], next: null }),
  }
  async function withOperator(content: string, mode = 0o600) {
    const vault = await localVault(answers)
    const file = join(vault.env.AUTHCONN_DATA_DIR, 'operator.json')
    await writeFile(file, content)
    await chmod(file, mode)
    return { ...vault, operatorFile: file }
  }
  const good = JSON.stringify({ name: 'operator', api_key: 'ak_operator' })

  test('is for workspaces, and for nothing else', async () => {
    const vault = await withOperator(good)
    expect((await run(['workspaces', 'list'], { env: vault.env })).exitCode).toBe(0)
    expect((await run(['list'], { env: vault.env })).exitCode).toBe(0)
    expect(vault.asked().map(({ operation, apiKey }) => [operation, apiKey])).toEqual([
      ['listWorkspaces', 'ak_operator'],
      ['listConnections', 'ak_local'],
    ])
  })

  test('goes to the vault that has proven itself, and to no other', async () => {
    const vault = await withOperator(good)
    await run(['workspaces', 'list'], { env: vault.env })
    expect(vault.requests.map(({ operation, apiKey }) => [operation, apiKey])).toEqual([
      ['getHealth', undefined],
      ['listWorkspaces', 'ak_operator'],
    ])
    const other = await fakeVault(answers)
    const { exitCode } = await run(['workspaces', 'list', '--vault-url', other.url], { env: vault.env })
    expect(exitCode).toBe(3)
    expect(other.requests).toEqual([])
  })

  test('gives way to one from the environment', async () => {
    const vault = await withOperator(good)
    await run(['workspaces', 'list'], { env: { ...vault.env, AUTHCONN_API_KEY: 'ak_given' } })
    expect(vault.asked()[0]?.apiKey).toBe('ak_given')
  })

  test('that others can read is not used', async () => {
    const vault = await withOperator(good, 0o644)
    const { stderr } = await run(['workspaces', 'list'], { env: vault.env })
    expect(stderr).toContain('[key_file_unsafe]')
    expect(stderr).toContain(vault.operatorFile)
    expect(vault.requests).toEqual([])
  })

  test.each(['', '{', '{}', 'null', '{"api_key": 7}'])('in a file that holds %j is none', async (content) => {
    const vault = await withOperator(content)
    const { exitCode, stderr } = await run(['workspaces', 'list'], { env: vault.env })
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`${vault.operatorFile} is damaged`)
    expect(stderr).toContain('authconn-server operator-key')
    expect(vault.requests).toEqual([])
  })

  test('where there is none, the administrator is told what is missing', async () => {
    const vault = await localVault({
      listWorkspaces: () => {
        throw new Problem('permission_denied', 'The key "admin" does not hold vault:operate')
      },
    })
    expect((await run(['workspaces', 'list'], { env: vault.env })).stderr).toContain('operator-key')
  })
})
