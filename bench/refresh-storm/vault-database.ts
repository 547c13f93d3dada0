import { randomUUID } from 'node:crypto'
import type { MintedTokens } from '../../packages/sandbox/src/index.ts'
import { createConnectionStore } from '../../packages/server/src/adapters/postgres/connection-store.ts'
import { createDataKeyStore } from '../../packages/server/src/adapters/postgres/data-key-store.ts'
import type { Database } from '../../packages/server/src/adapters/postgres/database.ts'
import { firstStart } from '../../packages/server/src/adapters/postgres/first-start.ts'
import { secondsFromNow } from '../../packages/server/src/adapters/postgres/grant-sql.ts'
import { migrate } from '../../packages/server/src/adapters/postgres/migrate.ts'
import { openDatabase } from '../../packages/server/src/adapters/postgres/open-database.ts'
import { createKeks, createLocalKek } from '../../packages/server/src/core/crypto/key-encryption-key.ts'
import { createKeyring, type Keyring } from '../../packages/server/src/core/crypto/keyring.ts'
import { places } from '../../packages/server/src/core/crypto/places.ts'
import type { Connection } from '../../packages/server/src/core/ports.ts'
import { Secret } from '../../packages/server/src/core/secret.ts'
import type { Provider } from './provider.ts'

export interface VaultDatabase {
  db: Database
  keyring: Keyring
  /** The administrator's. */
  apiKey: string
  /** Of the provider's client; all grants are its grants, each for a subject of its own. */
  connection: Connection
  /** Stores tokens as if an authorization had brought them. Times are seconds from now. */
  seed(tokens: MintedTokens[], times: SeedTimes): Promise<SeededGrant[]>
  close(): Promise<void>
}

export interface SeedTimes {
  expiresIn: number
  /** When the sweeper takes it up; null: never, so that it is refreshed when somebody asks and not before. */
  dueIn: number | null
}

export interface SeededGrant {
  id: string
  subject: string
  /** Of its tokens, at the provider. */
  family: string
  /** Where a vault gives its token. */
  tokenPath: string
}

/** Rows in one statement, of which each has its parameters. */
const rowsAtOnce = 500

const silent = { info() {}, warn() {}, error() {} }

/** Makes the vaults' database by their own means, sealed with the key that they are to be given. */
export async function makeVaultDatabase(
  at: { url: string } | { directory: string },
  kek: Uint8Array,
  provider: Provider,
): Promise<VaultDatabase> {
  const { db, close } = await openDatabase('url' in at ? { ...at, poolSize: 5 } : at, silent)
  try {
    await migrate(db)
    const keks = createKeks(createLocalKek(kek))
    const adminKey = await firstStart(db, keks, () => {})
    if (!adminKey) throw new Error('the database is not empty')
    const keyring = createKeyring({ dataKeys: createDataKeyStore(db), keks, log: silent })
    const connection = await insertConnection(db, keyring, provider)
    return { db, keyring, apiKey: adminKey.reveal(), connection, seed: createSeed(db, keyring, connection), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function insertConnection(db: Database, keyring: Keyring, provider: Provider): Promise<Connection> {
  const { id: workspaceId } = await db.selectFrom('workspaces').select('id').executeTakeFirstOrThrow()
  const row = { id: randomUUID(), workspaceId }
  const inserted = await createConnectionStore(db).insert({
    ...row,
    name: 'storm',
    provider: null,
    providerUrl: provider.issuer,
    issuerUrl: null,
    issuer: null,
    clientId: provider.clientId,
    clientKey: null,
    grantType: 'authorization_code',
    tokenRequest: null,
    clientSecret: await keyring.seal(places.clientSecret(row), new Secret(provider.clientSecret)),
    tokenEndpointAuthMethod: 'client_secret_basic',
    endpoints: {
      authorization_endpoint: `${provider.issuer}/authorize`,
      token_endpoint: `${provider.issuer}/token`,
    },
    issParameterSupported: false,
    authorizationParameters: {},
  })
  if (!inserted) throw new Error('there is a connection of that name')
  return inserted
}

function createSeed(db: Database, keyring: Keyring, connection: Connection): VaultDatabase['seed'] {
  let seeded = 0

  return async function seed(tokens, times) {
    const all: SeededGrant[] = []
    for (let first = 0; first < tokens.length; first += rowsAtOnce) {
      const some = tokens.slice(first, first + rowsAtOnce).map((minted) => ({ minted, grant: nextGrant(minted) }))
      await insert(some, times)
      all.push(...some.map(({ grant }) => grant))
    }
    return all
  }

  function nextGrant({ family }: MintedTokens): SeededGrant {
    const subject = `user-${++seeded}`
    const tokenPath = `/v1/connections/${connection.name}/token?subject=${subject}`
    return { id: randomUUID(), subject, family, tokenPath }
  }

  async function insert(some: { minted: MintedTokens; grant: SeededGrant }[], times: SeedTimes): Promise<void> {
    const rows = some.map(async ({ minted, grant: { id, subject } }) => {
      const row = { id, workspaceId: connection.workspaceId }
      return {
        id,
        workspace_id: connection.workspaceId,
        connection_id: connection.id,
        subject,
        status: 'active' as const,
        access_token: await keyring.seal(places.accessToken(row), new Secret(minted.access_token)),
        refresh_token: await keyring.seal(places.refreshToken(row), new Secret(minted.refresh_token)),
        scope: minted.scope,
        lifetime: minted.expires_in,
      }
    })
    await db
      .insertInto('grants')
      .values(await Promise.all(rows))
      .execute()
    await db
      .updateTable('grants')
      .set({
        expires_at: secondsFromNow(times.expiresIn),
        refresh_due_at: times.dueIn === null ? null : secondsFromNow(times.dueIn),
        keep_alive_at: secondsFromNow(604_800),
      })
      .where(
        'id',
        'in',
        some.map(({ grant }) => grant.id),
      )
      .execute()
  }
}
