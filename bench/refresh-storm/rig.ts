import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPgbouncer } from '../../packages/server/test/support/pgbouncer.ts'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import { type RunningVault, startVaults } from '../support/vaults.ts'
import { type Provider, type ProviderPlan, startProvider } from './provider.ts'
import { makeVaultDatabase, type VaultDatabase } from './vault-database.ts'

/** Where the vaults keep everything. */
export type Storage =
  | { kind: 'postgres'; serverUrl: string }
  /** The same behind a PgBouncer in transaction mode. */
  | { kind: 'pgbouncer'; serverUrl: string }
  /** Embedded, for one vault. */
  | { kind: 'pglite' }

export interface Rig {
  provider: Provider
  database: VaultDatabase
  /** Starts the vaults. An embedded database is theirs from then on: seed it before. */
  startVaults(count: number, environment?: Record<string, string>): Promise<RunningVault[]>
}

/** A provider, a database with a connection to it, and room for vaults, for the length of some work. */
export async function withRig<T>(
  storage: Storage,
  providerPlan: ProviderPlan,
  work: (rig: Rig) => Promise<T>,
): Promise<T> {
  const ends: (() => unknown)[] = []
  try {
    const directory = await mkdtemp(join(tmpdir(), 'authconn-storm-'))
    const remove = () => rmSync(directory, { recursive: true, force: true })
    process.once('exit', remove)
    ends.push(() => process.off('exit', remove), remove)
    const provider = await startProvider(providerPlan)
    ends.push(provider.stop)
    const kek = randomBytes(32)
    const { at, vaultsUrl } = await openStorage(storage, directory, ends)
    const database = await makeVaultDatabase(at, kek, provider)
    const closeDatabase = once(database.close)
    ends.push(closeDatabase)

    return await work({
      provider,
      database,
      async startVaults(count, environment) {
        if (storage.kind === 'pglite') await closeDatabase()
        const vaults = await startVaults({
          count,
          directory,
          kek: kek.toString('base64'),
          ...(vaultsUrl !== undefined && { databaseUrl: vaultsUrl }),
          environment: { AUTHCONN_ALLOW_LOOPBACK_PROVIDERS: 'true', ...environment },
        })
        ends.push(() => Promise.all(vaults.map((vault) => vault.stop())))
        return vaults
      },
    })
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

async function openStorage(storage: Storage, directory: string, ends: (() => unknown)[]) {
  if (storage.kind === 'pglite') {
    // Where the first of the vaults will look for it.
    const dataDirectory = join(directory, 'vault-1')
    await mkdir(dataDirectory, { mode: 0o700 })
    return { at: { directory: join(dataDirectory, 'database') } }
  }
  const database = temporaryDatabase(storage.serverUrl)
  await database.create()
  ends.push(database.drop)
  if (storage.kind === 'postgres') return { at: { url: database.url }, vaultsUrl: database.url }
  const pgbouncer = await startPgbouncer(database.url)
  ends.push(pgbouncer.stop)
  return { at: { url: database.url }, vaultsUrl: pgbouncer.url }
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () => {
    closed ??= close()
    return closed
  }
}
