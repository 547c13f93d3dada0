import { type KeyObject, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { keepAdminKey } from './adapters/files/credentials-file.ts'
import { createCheckIssuerUrl } from './adapters/identity/check-issuer-url.ts'
import { openVerifier } from './adapters/identity/open-verifier.ts'
import { createOAuth } from './adapters/oauth/create-oauth.ts'
import { listProviders, registrationAt } from './adapters/oauth/providers.ts'
import { createSafeFetch } from './adapters/oauth/safe-fetch.ts'
import { traceCalls } from './adapters/oauth/trace-calls.ts'
import { checkKeks, createKek } from './adapters/open-kek.ts'
import { openAuditKey } from './adapters/postgres/audit-key.ts'
import { createAuditStore } from './adapters/postgres/audit-store.ts'
import { createAuthorizationStore } from './adapters/postgres/authorization-store.ts'
import { createCallerStore } from './adapters/postgres/caller-store.ts'
import { createConnectionStore } from './adapters/postgres/connection-store.ts'
import { createDataKeyStore, sampleDataKeys } from './adapters/postgres/data-key-store.ts'
import { isAboutValues, isDatabaseUnavailable } from './adapters/postgres/database-errors.ts'
import { createEventStore } from './adapters/postgres/event-store.ts'
import { firstStart } from './adapters/postgres/first-start.ts'
import { createGrantStore } from './adapters/postgres/grant-store.ts'
import { createKeyStore } from './adapters/postgres/key-store.ts'
import { createTokenLookup, UnreadableFacts } from './adapters/postgres/look-up-tokens.ts'
import type { OpenDatabase } from './adapters/postgres/open-database.ts'
import { createRevocationStore } from './adapters/postgres/revocation-store.ts'
import { createSealedStore } from './adapters/postgres/sealed-store.ts'
import { createTrustStore } from './adapters/postgres/trust-store.ts'
import { createWorkspaceStore } from './adapters/postgres/workspace-store.ts'
import { shareCounts } from './adapters/redis/share-counts.ts'
import { createBackground } from './background.ts'
import type { Config } from './config/load-config.ts'
import { createAuditLog } from './core/audit/audit-log.ts'
import { createAuditCheckpoints } from './core/audit/checkpoint-audit.ts'
import { limitAnonymous } from './core/audit/limit-anonymous.ts'
import { createReadAudit } from './core/audit/read-audit.ts'
import { createAuthenticate } from './core/callers/authenticate.ts'
import { createManageCallers } from './core/callers/manage-callers.ts'
import { createCompleteAuthorization } from './core/connections/complete-authorization.ts'
import { createCreateConnection } from './core/connections/create-connection.ts'
import { createDeleteConnection, createFinishDeletions } from './core/connections/delete-connection.ts'
import { createKeepAuthorized } from './core/connections/keep-authorized.ts'
import { createPollDeviceAuthorizations } from './core/connections/poll-device-authorizations.ts'
import { createReadConnections } from './core/connections/read-connections.ts'
import { createStartAuthorization } from './core/connections/start-authorization.ts'
import { createStartDeviceAuthorization } from './core/connections/start-device-authorization.ts'
import { createUpdateConnection } from './core/connections/update-connection.ts'
import { createWatchAuthorization } from './core/connections/watch-authorization.ts'
import { createDropFormerKeys } from './core/crypto/drop-former-keys.ts'
import type { KeyEncryptionKeys } from './core/crypto/key-encryption-key.ts'
import { createKeyring } from './core/crypto/keyring.ts'
import { createRotationBacklog } from './core/crypto/rotation-backlog.ts'
import { createCreateGrant } from './core/grants/create-grant.ts'
import { createFetchToken } from './core/grants/fetch-token.ts'
import { findTogether } from './core/grants/find-together.ts'
import { gather } from './core/grants/gather.ts'
import { createGiveBackTokens } from './core/grants/give-back-tokens.ts'
import { createGrantUses } from './core/grants/grant-uses.ts'
import { createIssueToken } from './core/grants/issue-token.ts'
import { leaseTimes } from './core/grants/lease-keeper.ts'
import { createRevokeGrant, createRevokeLocally } from './core/grants/revoke-grant.ts'
import { createRetryRevocations, createRevokeUpstream } from './core/grants/revoke-upstream.ts'
import { createRateLimits } from './core/limits/rate-limits.ts'
import { patience } from './core/persist.ts'
import { Secret } from './core/secret.ts'
import type { TokenQuestion, TokenSight } from './core/token-port.ts'
import { createExchangeToken } from './core/trusts/exchange-token.ts'
import { createManageTrusts } from './core/trusts/manage-trusts.ts'
import { createManageWorkspaces } from './core/workspaces/manage-workspaces.ts'
import { createApp } from './http/app.ts'
import { createLimits } from './http/limits.ts'
import { auditRoutes } from './http/routes/audit.ts'
import { authorizationRoutes } from './http/routes/authorizations.ts'
import { callerRoutes } from './http/routes/callers.ts'
import { connectionRoutes } from './http/routes/connections.ts'
import { operationsRoutes } from './http/routes/operations.ts'
import { createTokenHandler } from './http/routes/tokens.ts'
import { trustRoutes } from './http/routes/trusts.ts'
import { workspaceRoutes } from './http/routes/workspaces.ts'
import { runPeriodically } from './jobs/run-periodically.ts'
import { type Certificate, keepCertificate } from './keep-certificate.ts'
import type { Logger } from './logger.ts'
import { measureAppends } from './measure-appends.ts'
import { createMetrics } from './metrics.ts'
import { localUrl, prepareSchema, withStorage } from './open-storage.ts'
import { createRefreshEngine } from './refresh-engine.ts'
import type { Tracing } from './tracing.ts'
import { version } from './version.ts'

export interface Vault {
  app: FastifyInstance
  /** The administrator's key, on the first start alone. */
  adminKey: Secret | undefined
  /** With which this process proves to the local command line that it is the vault. */
  proofKey: Secret
  /** undefined: plain HTTP. */
  certificate: Certificate | undefined
  /** Turns readiness off, so that load balancers look elsewhere while what is in flight ends. */
  announceStop(): void
  /** Finishes what is in flight and closes everything in reverse. */
  close(): Promise<void>
}

/** Opens storage, makes sure of schema and keys, and wires core to its adapters. The one place where they meet. */
export async function composeVault(config: Config, log: Logger, tracing?: Tracing): Promise<Vault> {
  // First, as it takes no time: what is wrong with it must not wait for a database.
  const certificate = config.tls && keepCertificate(config.tls, log)
  return withStorage(config, log, async (storage) => {
    await prepareSchema(storage, config, log)
    const keks = storage.keks ?? createKek(config.dataDirectory)
    const adminKey = await firstStart(storage.db, keks, (key) =>
      keepAdminKey(config.dataDirectory, { url: localUrl(config) }, key),
    )
    // Another replica may have made the first start meanwhile, with a key of its own.
    if (storage.isNew) await checkKeks(keks, await sampleDataKeys(storage.db))
    // Nobody else can be using it, so what a former process was doing has come to its end with it.
    if (storage.kind === 'pglite') await createGrantStore(storage.db).endAllLeases()
    // Without them records go into the default partition, which is no reason not to start.
    await createAuditStore(storage.db)
      .preparePartitions()
      .catch((error) => log.warn({ error }, 'could not make partitions of the audit log'))
    const auditKey = await openAuditKey(storage.db, keks)
    return wire({ ...storage, keks, auditKey }, adminKey, certificate, config, log, tracing)
  })
}

function wire(
  storage: OpenDatabase & { keks: KeyEncryptionKeys; auditKey: KeyObject },
  adminKey: Secret | undefined,
  certificate: Certificate | undefined,
  config: Config,
  log: Logger,
  tracing: Tracing | undefined,
): Vault {
  const { db, keks, auditKey } = storage
  const connections = createConnectionStore(db)
  const grants = createGrantStore(db)
  const authorizations = createAuthorizationStore(db)
  const events = createEventStore(db)
  const workspaces = createWorkspaceStore(db)
  const callers = createCallerStore(db)
  const trusts = createTrustStore(db)
  const revocations = createRevocationStore(db)
  const keys = createKeyStore(db)
  const keyring = createKeyring({ dataKeys: createDataKeyStore(db), keks, log })

  const traced: Tracing['wrap'] = tracing?.wrap ?? ((_name, work) => work)
  const plainFetch = createSafeFetch({
    allowLoopback: config.allowLoopbackProviders,
    allowedHosts: config.providerHosts,
    proxy: config.proxy,
    timeoutMs: config.providerTimeoutMs,
    longestTimeoutMs: config.refresh.timeoutMs,
    version,
  })
  const safeFetch = tracing ? traceCalls(tracing.wrap, plainFetch) : plainFetch
  const oauth = createOAuth({ safeFetch, refreshTimeoutMs: config.refresh.timeoutMs })
  const background = createBackground(log)
  const inBackground = background.add

  // Two provider calls and the database work around them must fit into the claim of a revocation.
  const claimSeconds = Math.ceil((2 * config.providerTimeoutMs) / 1000) + 10
  const revokeDeps = { revocations, connections, grants, keyring, oauth, log, leaseSeconds: claimSeconds }
  const revokeUpstream = createRevokeUpstream(revokeDeps)
  const revokeLocally = createRevokeLocally({ grants, revocations, keyring })
  const giveBackTokens = createGiveBackTokens({ revocations, revokeUpstream, keyring, oauth, log })
  const metrics = createMetrics({
    countDue: grants.countDue,
    refusingProviders: () => engine.refusing(),
    rotationBacklog: createRotationBacklog({
      keys,
      values: createSealedStore(db),
      kekId: keks.current.id,
      clock: () => performance.now(),
    }),
    poolState: storage.poolState,
    requestsUnderWay: () => app.load.underWay(),
    tokensWaiting: () => lookUp.waiting(),
  })
  const engine = createRefreshEngine({
    grants,
    connections,
    keyring,
    oauth,
    giveBackTokens,
    meter: metrics.refreshes,
    log,
    limits: config.refresh,
    lease: leaseTimes,
    clock: () => performance.now(),
    sleep,
    inBackground,
  })

  const auditStore = createAuditStore(db)
  const clock = () => new Date()
  const audit = limitAnonymous(
    createAuditLog({ store: measureAppends(auditStore, metrics.tokens), key: auditKey, clock }),
    { clock, log },
  )
  const checkpoints = createAuditCheckpoints({
    store: auditStore,
    audit,
    key: auditKey,
    log,
    clock,
    months: config.auditMonths,
  })
  const lookUpAll = createTokenLookup(db)
  const lookUp = gather<TokenQuestion, TokenSight>(
    (questions) => {
      metrics.tokens.lookedUp(questions.length)
      return lookUpAll(questions)
    },
    {
      ...lookupLimits,
      isOfOne: (error) => isAboutValues(error) || error instanceof UnreadableFacts,
    },
  )
  const uses = createGrantUses({ grants })
  const fetchToken = createFetchToken({
    lookUp: traced('token lookup', lookUp),
    audit,
    keyring,
    issueToken: createIssueToken({
      connections: findTogether(connections),
      grants,
      keyring,
      refreshGrant: engine.refreshGrant,
      sleep: sleepUnless,
    }),
    refreshGrant: engine.refreshGrant,
    connections,
    uses,
    callers,
    inBackground,
  })

  const keepAuthorized = createKeepAuthorized({
    authorizations,
    grants,
    keyring,
    oauth,
    giveBackTokens,
    sleep,
    log,
  })

  const { redisUrl, ...limits } = config.limits
  const rateLimits = createRateLimits({ ...limits, isShared: redisUrl !== undefined })
  const sharing = redisUrl && shareCounts({ url: redisUrl, counters: rateLimits.counters, log })

  const proofKey = new Secret(randomBytes(32).toString('base64url'))
  let stopping = false
  const app = createApp({
    authenticate: createAuthenticate({ callers, inBackground }),
    audit,
    async aboutAuthorization({ workspaceId, id: callerId }, id) {
      const found = await authorizations.find(workspaceId, id, callerId)
      return found && { connection: found.connectionName, subject: found.subject }
    },
    fetchToken: createTokenHandler({ fetchToken }),
    isDatabaseUnavailable,
    isStopping: () => stopping,
    limits: createLimits({ rateLimits, meter: metrics.http, log, clock: () => Date.now() }),
    meter: metrics.http,
    tracing,
    trustedProxies: config.trustedProxies,
    tls: certificate?.current(),
    maxConnections: config.maxConnections,
    renderMetrics: metrics.render,
    log,
    version,
    handlers: {
      ...operationsRoutes({
        async pingDatabase() {
          await sql`select 1`.execute(db)
        },
        isOverloaded: () => app.load.isOverloaded(),
        proofKey,
      }),
      ...connectionRoutes({
        listProviders,
        registrationAt,
        createConnection: createCreateConnection({ connections, keyring, oauth }),
        readConnections: createReadConnections({ connections, grants, events }),
        updateConnection: createUpdateConnection({ connections, keyring }),
        deleteConnection: createDeleteConnection({ connections, grants, revokeLocally, revokeUpstream }),
        createGrant: createCreateGrant({ connections, grants, refreshGrant: engine.refreshGrant }),
        revokeGrant: createRevokeGrant({ connections, grants, revokeLocally, revokeUpstream }),
      }),
      ...auditRoutes({ readAudit: createReadAudit({ store: auditStore, checkpoints, key: auditKey }) }),
      ...authorizationRoutes({
        startAuthorization: createStartAuthorization({
          authorizations,
          connections,
          keyring,
          oauth,
          allowedRedirectUris: config.allowedRedirectUris,
        }),
        startDeviceAuthorization: createStartDeviceAuthorization({ authorizations, connections, keyring, oauth }),
        completeAuthorization: createCompleteAuthorization({
          authorizations,
          connections,
          keyring,
          oauth,
          keepAuthorized,
        }),
        watchAuthorization: createWatchAuthorization({ authorizations }),
      }),
      ...callerRoutes({ manageCallers: createManageCallers({ callers }), workspaces }),
      ...trustRoutes({
        manageTrusts: createManageTrusts({ trusts, checkUrl: createCheckIssuerUrl(safeFetch.policy) }),
        exchangeToken: createExchangeToken({
          trusts,
          verifyToken: openVerifier({ safeFetch, clock: () => performance.now() }),
          audit,
          meter: metrics.identities,
          rateLimits,
          onLimited: () => metrics.http.limited('trust'),
          log,
          clock,
          sleep,
          inBackground,
        }),
        trusts,
      }),
      ...workspaceRoutes({
        manageWorkspaces: createManageWorkspaces({ workspaces, keks }),
      }),
    },
  })

  const pollDeviceAuthorizations = createPollDeviceAuthorizations({
    authorizations,
    connections,
    keyring,
    oauth,
    keepAuthorized,
    giveBackTokens,
    audit,
    // The tokens, the keys of the ID token, introspection, the account, and two revocations should it be forged; then the
    // database, which is waited for.
    claimSeconds: 2 * claimSeconds + Math.ceil(patience / 1000),
    sleep,
    log,
    inBackground,
  })
  const finishDeletions = createFinishDeletions({ connections, grants, revokeLocally, log })
  const jobs = [
    ...(config.refresh.concurrency === 0
      ? []
      : [runPeriodically('refresh what is due', 1, engine.sweepDueGrants, log)]),
    runPeriodically('note which grants are used', 1, uses.write, log),
    runPeriodically('ask for the outcome of device codes', 1, pollDeviceAuthorizations, log),
    runPeriodically('forget former client secrets', 3600, connections.forgetFormerSecrets, log),
    runPeriodically('vouch for the audit log', 10, checkpoints.write, log),
    runPeriodically('make partitions of the audit log', 3600, auditStore.preparePartitions, log),
    runPeriodically('prune the audit log', 3600, checkpoints.prune, log),
    runPeriodically('purge events', 3600, () => events.purge(config.eventRetention), log),
    runPeriodically('purge ended keys', 3600, callers.purgeEndedKeys, log),
    runPeriodically('forget tokens that were exchanged', 3600, trusts.purgeUses, log),
    runPeriodically('remove callers of trusts', 3600, trusts.purgeCallers, log),
    runPeriodically('retry revocations', 15, createRetryRevocations(revokeDeps), log),
    runPeriodically('finish deletions', 60, finishDeletions, log),
    runPeriodically('let go of former data keys', 3600, createDropFormerKeys({ keys, log }), log),
    runPeriodically('purge authorizations', 3600, authorizations.purgeEnded, log),
  ]

  return {
    app,
    adminKey,
    proofKey,
    certificate,
    announceStop() {
      stopping = true
    },
    async close() {
      stopping = true
      // Together: a long round of a job must not use up the time that is left after the requests.
      await Promise.all([app.close(), sharing?.stop(), ...jobs.map((stop) => stop())])
      await background.settle()
      await uses.write().catch((error) => log.warn({ error }, 'the last uses of grants are not noted'))
      await checkpoints.write().catch((error) => log.error({ error }, 'the last audit records have no checkpoint'))
      await safeFetch.close()
      await storage.close()
      await tracing?.stop()
    },
  }
}

/** Resolves after that time, or rejects at once when the signal says that nobody waits any more. */
function sleepUnless(ms: number, signal: AbortSignal): Promise<unknown> {
  return sleep(ms, undefined, { signal })
}

/** Three batches at a time: one is answered while the database looks up another and syncs the records of the third. */
const lookupLimits = { lanes: 3, most: 32, queue: 10_000 }
