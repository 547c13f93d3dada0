import { randomBytes, randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { Kysely, PGliteDialect } from 'kysely'
import { afterAll, beforeAll, inject } from 'vitest'
import { createAuthorizationStore } from '../../src/adapters/postgres/authorization-store.ts'
import { createCallerStore } from '../../src/adapters/postgres/caller-store.ts'
import { createConnectionStore } from '../../src/adapters/postgres/connection-store.ts'
import { createDataKeyStore } from '../../src/adapters/postgres/data-key-store.ts'
import type { Database, Tables } from '../../src/adapters/postgres/database.ts'
import { createEventStore } from '../../src/adapters/postgres/event-store.ts'
import { firstStart } from '../../src/adapters/postgres/first-start.ts'
import { createGrantStore } from '../../src/adapters/postgres/grant-store.ts'
import { migrate } from '../../src/adapters/postgres/migrate.ts'
import { type OpenDatabase, openDatabase } from '../../src/adapters/postgres/open-database.ts'
import { createRevocationStore } from '../../src/adapters/postgres/revocation-store.ts'
import { hashApiKey } from '../../src/core/callers/api-key.ts'
import { createKeks, createLocalKek } from '../../src/core/crypto/key-encryption-key.ts'
import { createKeyring } from '../../src/core/crypto/keyring.ts'
import { places } from '../../src/core/crypto/places.ts'
import type { SealedTokens } from '../../src/core/grant-port.ts'
import type { Caller, Connection, Log, NewConnectionRow } from '../../src/core/ports.ts'
import { Secret } from '../../src/core/secret.ts'
import type { TestDatabase } from './databases.ts'

export const silentLog: Log = { info() {}, warn() {}, error() {} }

export type OpenTestDatabase = Pick<OpenDatabase, 'db' | 'close'>

export async function openTestDatabase(database: TestDatabase): Promise<OpenTestDatabase> {
  if (database.kind === 'postgres') return openDatabase({ url: database.url, poolSize: 10 }, silentLog)
  const loadDataDir = await openAsBlob(inject('emptyDatabase').image)
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: await PGlite.create({ loadDataDir }) }) })
  return { db, close: () => db.destroy() }
}

/** All stores over one migrated database with its first start made. Call it at the head of a suite. */
export function useStores(database: TestDatabase): Stores {
  const stores = {} as Stores
  let close = async () => {}
  beforeAll(async () => {
    const opened = await openStores(database)
    close = opened.close
    Object.assign(stores, opened.stores)
  })
  afterAll(() => close())
  return stores
}

/** The same for a single test, which closes them. The database must be empty. */
export async function openStores(database: TestDatabase): Promise<{ stores: Stores; close(): Promise<void> }> {
  const { db, close } = await openTestDatabase(database)
  try {
    await migrate(db)
    return { stores: await createStores(db), close }
  } catch (error) {
    await close()
    throw error
  }
}

export type Stores = Awaited<ReturnType<typeof createStores>>

async function createStores(db: Database) {
  const keks = createKeks(createLocalKek(randomBytes(32)))
  const adminKey = await firstStart(db, keks, () => {})
  if (!adminKey) throw new Error('the test database was not empty')
  const callers = createCallerStore(db)
  const found = await callers.findLive(hashApiKey(adminKey), null)
  if (!found) throw new Error('there is no administrator')
  const admin: Caller = found.caller
  const connections = createConnectionStore(db)
  const grants = createGrantStore(db)
  const keyring = createKeyring({ dataKeys: createDataKeyStore(db), keks, log: silentLog })
  return {
    db,
    keks,
    admin,
    callers,
    connections,
    grants,
    keyring,
    authorizations: createAuthorizationStore(db),
    events: createEventStore(db),
    revocations: createRevocationStore(db),
    /** A connection of its own, with an application grant when tokens are given. */
    async newConnection(given: Partial<NewConnectionRow> = {}): Promise<Connection> {
      const connection = await exampleConnection(admin, given, (row) =>
        keyring.seal(places.clientSecret(row), new Secret('the client secret')),
      )
      await connections.insert(connection)
      const found = await connections.find(admin.workspaceId, connection.name)
      if (!found) throw new Error('the connection was not stored')
      return found.connection
    },
    async newActiveGrant(
      connection: Connection,
      tokens: { expiresIn: number | null; refresh?: boolean },
      subject = '',
    ) {
      const { id } = await ensureGrant(connection, subject)
      const authorization = await newAuthorization(connection)
      const row = { id, workspaceId: connection.workspaceId }
      await this.authorizations.complete(authorization, id, {
        ...exampleTokens,
        accessToken: await keyring.seal(places.accessToken(row), new Secret('first access token')),
        refreshToken:
          tokens.refresh === false
            ? null
            : await keyring.seal(places.refreshToken(row), new Secret('first refresh token')),
        expiresIn: tokens.expiresIn,
        refreshDueIn: tokens.expiresIn,
        keepAliveIn: tokens.refresh === false ? null : exampleTokens.keepAliveIn,
      })
      const found = await grants.findById(id)
      if (!found) throw new Error('the grant was not stored')
      return found.grant
    },
    /** A connection that gets its tokens as itself. */
    newClientCredentials(given: Partial<NewConnectionRow> = {}): Promise<Connection> {
      const tokenRequest = { scopes: [], audience: null, resource: [], assertion: null }
      return this.newConnection({ grantType: 'client_credentials', tokenRequest, ...given })
    },
    newAuthorization,
    newDeviceAuthorization,
    ensureGrant,
  }

  async function ensureGrant(connection: Connection, subject = ''): Promise<{ id: string }> {
    const grant = await grants.ensure(connection, subject)
    if (!grant) throw new Error('the connection is gone')
    return grant
  }

  function exampleAuthorization(connection: Connection) {
    return {
      id: randomUUID(),
      workspaceId: connection.workspaceId,
      connectionId: connection.id,
      callerId: admin.id,
      subject: '',
      redirectUri: 'http://127.0.0.1:8080/callback',
      scopes: ['openid'],
      stateHash: randomBytes(32),
      secrets: Buffer.from('sealed secrets'),
    }
  }

  async function newAuthorization(connection: Connection, timeout = 600): Promise<string> {
    const authorization = exampleAuthorization(connection)
    await createAuthorizationStore(db).insert(authorization, timeout)
    return authorization.id
  }

  /** One whose provider is to be asked every so many seconds. */
  async function newDeviceAuthorization(connection: Connection, interval: number, given = {}): Promise<string> {
    const authorization = { ...exampleAuthorization(connection), redirectUri: null, stateHash: null, ...given }
    await createAuthorizationStore(db).insert(authorization, 600, interval)
    return authorization.id
  }
}

export const exampleTokens: SealedTokens = {
  accessToken: Buffer.from('sealed access token'),
  refreshToken: Buffer.from('sealed refresh token'),
  tokenType: 'Bearer',
  scope: 'openid email',
  expiresIn: 3600,
  expiryAssumed: false,
  refreshTokenExpiresIn: null,
  refreshDueIn: 3300,
  keepAliveIn: 604_800,
  age: 0,
}

async function exampleConnection(
  admin: Caller,
  given: Partial<NewConnectionRow>,
  sealSecret: (row: { id: string; workspaceId: string }) => Promise<Uint8Array>,
): Promise<NewConnectionRow> {
  const row = { id: randomUUID(), workspaceId: admin.workspaceId }
  return {
    ...row,
    name: `connection-${randomBytes(4).toString('hex')}`,
    provider: null,
    providerUrl: 'https://provider.example',
    issuerUrl: null,
    issuer: null,
    clientId: 'client',
    clientKey: null,
    clientSecret: await sealSecret(row),
    tokenEndpointAuthMethod: 'client_secret_basic',
    grantType: 'authorization_code',
    tokenRequest: null,
    endpoints: {
      authorization_endpoint: 'https://provider.example/authorize',
      token_endpoint: 'https://provider.example/token',
      revocation_endpoint: 'https://provider.example/revoke',
    },
    issParameterSupported: false,
    authorizationParameters: {},
    ...given,
  }
}
