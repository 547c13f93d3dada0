import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { keepAdminKey } from './adapters/files/credentials-file.ts'
import { lockDataDirectory, makeDataDirectory } from './adapters/files/data-directory.ts'
import { createOAuth } from './adapters/oauth/create-oauth.ts'
import { listProviders } from './adapters/oauth/providers.ts'
import { createSafeFetch } from './adapters/oauth/safe-fetch.ts'
import { checkKek, openKek } from './adapters/open-kek.ts'
import { createAuthorizationStore } from './adapters/postgres/authorization-store.ts'
import { createCallerStore } from './adapters/postgres/caller-store.ts'
import { createConnectionStore } from './adapters/postgres/connection-store.ts'
import { createDataKeyStore, sampleDataKeys } from './adapters/postgres/data-key-store.ts'
import { isDatabaseUnavailable } from './adapters/postgres/database-errors.ts'
import { firstStart } from './adapters/postgres/first-start.ts'
import { createGrantStore } from './adapters/postgres/grant-store.ts'
import { migrate, pendingMigrations } from './adapters/postgres/migrate.ts'
import { type OpenDatabase, openDatabase } from './adapters/postgres/open-database.ts'
import { createRevocationStore } from './adapters/postgres/revocation-store.ts'
import { createBackground } from './background.ts'
import type { Config } from './config/load-config.ts'
import { createAuthenticate } from './core/callers/authenticate.ts'
import { createManageCallers } from './core/callers/manage-callers.ts'
import { createCompleteAuthorization } from './core/connections/complete-authorization.ts'
import { createCreateConnection } from './core/connections/create-connection.ts'
import { createDeleteConnection, createFinishDeletions } from './core/connections/delete-connection.ts'
import { createReadConnections } from './core/connections/read-connections.ts'
import { createStartAuthorization } from './core/connections/start-authorization.ts'
import { createWatchAuthorization } from './core/connections/watch-authorization.ts'
import type { KeyEncryptionKey } from './core/crypto/key-encryption-key.ts'
import { createKeyring } from './core/crypto/keyring.ts'
import { AuthconnError } from './core/errors.ts'
import { createIssueToken } from './core/grants/issue-token.ts'
import { createRefreshGrant } from './core/grants/refresh-grant.ts'
import { createRevokeGrant, createRevokeTokens } from './core/grants/revoke-grant.ts'
import { createRetryRevocations, createRevokeUpstream } from './core/grants/revoke-upstream.ts'
import type { Secret } from './core/secret.ts'
import { createApp } from './http/app.ts'
import { authorizationRoutes } from './http/routes/authorizations.ts'
import { callerRoutes } from './http/routes/callers.ts'
import { connectionRoutes } from './http/routes/connections.ts'
import { operationsRoutes } from './http/routes/operations.ts'
import { tokenRoutes } from './http/routes/tokens.ts'
import { runPeriodically } from './jobs/run-periodically.ts'
import type { Logger } from './logger.ts'
import { version } from './version.ts'

export interface Vault {
  app: FastifyInstance
  /** The administrator's key, on the first start alone. */
  adminKey: Secret | undefined
  /** Turns readiness off, so that load balancers look elsewhere while what is in flight ends. */
  announceStop(): void
  /** Finishes what is in flight and closes everything in reverse. */
  close(): Promise<void>
}

/** Opens storage, makes sure of schema and keys, and wires core to its adapters. The one place where they meet. */
export async function composeVault(config: Config, log: Logger): Promise<Vault> {
  const storage = await openStorage(config, log)
  try {
    await prepareSchema(storage.db, config, log)
    const { kek } = storage
    const adminKey = await firstStart(storage.db, kek, (key) =>
      keepAdminKey(config.dataDirectory, localUrl(config), key),
    )
    // Another replica may have made the first start meanwhile, with a key of its own.
    await checkKek(kek, await sampleDataKeys(storage.db))
    return wire(storage, adminKey, config, log)
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** Runs the missing migrations and nothing else. Resolves to their names. */
export async function migrateOnly(config: Config, log: Logger): Promise<string[]> {
  const storage = await openStorage(config, log)
  try {
    return await migrate(storage.db)
  } finally {
    await storage.close()
  }
}

/** Where the local command line finds the vault before it listens; the true address follows when it does. */
function localUrl(config: Config): string {
  return `http://127.0.0.1:${config.port}`
}

interface Storage extends OpenDatabase {
  kek: KeyEncryptionKey
}

/** Opens the database and its key, and checks that they belong together before anything is changed. */
async function openStorage(config: Config, log: Logger): Promise<Storage> {
  makeDataDirectory(config.dataDirectory)
  const { databaseUrl } = config
  const unlock = databaseUrl ? () => undefined : lockDataDirectory(config.dataDirectory)
  try {
    const opened = await openDatabase(
      databaseUrl
        ? { url: databaseUrl.reveal(), poolSize: config.databasePoolSize }
        : { directory: join(config.dataDirectory, 'database') },
      log,
    )
    const close = async () => {
      await opened.close()
      unlock()
    }
    try {
      const kek = await openKek(config.kek, config.dataDirectory, await sampleDataKeys(opened.db))
      return { ...opened, kek, close }
    } catch (error) {
      await opened.close()
      if (isDatabaseUnavailable(error)) {
        throw new AuthconnError('database_unavailable', 'The database of DATABASE_URL does not answer', {
          cause: error,
        })
      }
      throw error
    }
  } catch (error) {
    unlock()
    throw error
  }
}

async function prepareSchema(db: OpenDatabase['db'], config: Config, log: Logger): Promise<void> {
  if (config.autoMigrate) {
    const ran = await migrate(db)
    if (ran.length > 0) log.info({ migrations: ran }, 'migrated')
    return
  }
  const pending = await pendingMigrations(db)
  if (pending.length > 0) throw new AuthconnError('schema_out_of_date', `Missing: ${pending.join(', ')}`)
}

function wire(storage: Storage, adminKey: Secret | undefined, config: Config, log: Logger): Vault {
  const { db, kek } = storage
  const connections = createConnectionStore(db)
  const grants = createGrantStore(db)
  const authorizations = createAuthorizationStore(db)
  const callers = createCallerStore(db)
  const revocations = createRevocationStore(db)
  const keyring = createKeyring({ dataKeys: createDataKeyStore(db), kek })

  const safeFetch = createSafeFetch({
    allowLoopback: config.allowLoopbackProviders,
    timeoutMs: config.providerTimeoutMs,
    version,
  })
  const oauth = createOAuth({ safeFetch })
  const background = createBackground(log)

  // Two provider calls (a revocation makes two) and the database work around them must fit into a lease.
  const leaseSeconds = Math.ceil((2 * config.providerTimeoutMs) / 1000) + 10
  const waitMs = config.providerTimeoutMs + 2_000
  const revokeDeps = { revocations, connections, grants, keyring, oauth, log, leaseSeconds }
  const revokeTokens = createRevokeTokens({ grants, keyring, revokeUpstream: createRevokeUpstream(revokeDeps) })
  const refreshGrant = createRefreshGrant({ grants, keyring, oauth, log, leaseSeconds, waitMs, sleep })

  let stopping = false
  const app = createApp({
    authenticate: createAuthenticate({ callers }),
    isDatabaseUnavailable,
    isStopping: () => stopping,
    log,
    version,
    handlers: {
      ...operationsRoutes({
        async pingDatabase() {
          await sql`select 1`.execute(db)
        },
        isStopping: () => stopping,
      }),
      ...connectionRoutes({
        listProviders,
        createConnection: createCreateConnection({ connections, keyring, oauth }),
        readConnections: createReadConnections({ connections, grants }),
        deleteConnection: createDeleteConnection({ connections, grants, revokeTokens }),
        revokeGrant: createRevokeGrant({ connections, revokeTokens }),
      }),
      ...tokenRoutes({
        issueToken: createIssueToken({ connections, keyring, refreshGrant, inBackground: background.add }),
      }),
      ...authorizationRoutes({
        startAuthorization: createStartAuthorization({
          authorizations,
          connections,
          keyring,
          oauth,
          allowedRedirectUris: config.allowedRedirectUris,
        }),
        completeAuthorization: createCompleteAuthorization({
          authorizations,
          connections,
          grants,
          keyring,
          oauth,
          log,
        }),
        watchAuthorization: createWatchAuthorization({ authorizations }),
      }),
      ...callerRoutes({ manageCallers: createManageCallers({ callers }) }),
    },
  })

  const finishDeletions = createFinishDeletions({ connections, grants, revokeTokens })
  const jobs = [
    runPeriodically('retry revocations', 15, createRetryRevocations(revokeDeps), log),
    runPeriodically('finish deletions', 60, finishDeletions, log),
    runPeriodically('purge authorizations', 3600, authorizations.purgeEnded, log),
  ]

  return {
    app,
    adminKey,
    announceStop() {
      stopping = true
    },
    async close() {
      stopping = true
      await app.close()
      await Promise.all(jobs.map((stop) => stop()))
      await background.settle()
      await safeFetch.close()
      await storage.close()
    },
  }
}
