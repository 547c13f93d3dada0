import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Sandbox, type SandboxOptions, startSandbox } from '@authconn/sandbox'
import { type AuthconnClient, createClient } from '@authconn/sdk'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import { noteEnd } from '../../../../../test/support/provoked-errors.ts'
import { putEmptyDatabase } from '../../../../server/test/support/put-empty-database.ts'
import { type Child, cliPath, startChild, stopChild, vaultPath } from './child.ts'

export interface World {
  sandbox: Sandbox
  /** What the command line needs to find the vault. */
  env: Record<string, string>
  vault: AuthconnClient
  /** Where it is. */
  url: string
  /** The command line to its end. */
  authconn(
    args: readonly string[],
    input?: string,
    /** What is different from `env`. */
    changes?: Record<string, string>,
  ): Promise<{ exitCode: number | null; stdout: string; stderr: string }>
  /** The command line, running. */
  begin(args: readonly string[]): Child
  /** A connection to the sandbox. */
  create(name: string): Promise<void>
}

/** A vault on its embedded database and a provider, both real, for the tests of one file. */
export function useWorld(options: SandboxOptions = {}): { current(): World } {
  let world: World | undefined
  const closers: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    world = await createWorld(closers, options)
  })
  afterAll(async () => {
    for (const close of closers.reverse()) await close()
  })
  return {
    current() {
      if (world === undefined) throw new Error('the vault is not running')
      return world
    },
  }
}

async function createWorld(closers: (() => Promise<unknown>)[], options: SandboxOptions): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'authconn-e2e-'))
  closers.push(() => rm(dataDir, { recursive: true }))
  putEmptyDatabase(dataDir)
  const sandbox = await startSandbox(options)
  closers.push(() => sandbox.stop())
  const env = { AUTHCONN_DATA_DIR: dataDir, HOME: dataDir }
  const server = startChild(vaultPath, ['start'], {
    ...env,
    AUTHCONN_PORT: '0',
    AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true',
  })
  closers.push(() => stopChild(server))
  await vi.waitFor(() => expect(server.stdout() + server.stderr()).toContain('"listening"'), { timeout: 40_000 })

  const credentials: { url: string; api_key: string } = JSON.parse(
    await readFile(join(dataDir, 'credentials.json'), 'utf8'),
  )
  const vault = createClient({ url: credentials.url, apiKey: credentials.api_key, reuseFor: 0 })
  return {
    sandbox,
    env,
    vault,
    url: credentials.url,
    async authconn(args, input = '', changes = {}) {
      const child = startChild(cliPath, args, { ...env, ...changes })
      child.process.stdin?.end(input)
      const { exitCode } = await child.ended
      const ended = { exitCode, stdout: child.stdout(), stderr: child.stderr() }
      noteEnd(ended, 'real')
      return ended
    },
    begin: (args) => startChild(cliPath, args, env),
    async create(name) {
      const { client_id, client_secret } = sandbox.client
      await vault.call('createConnection', {
        body: { name, provider_url: sandbox.issuer, client_id, client_secret },
      })
    },
  }
}
