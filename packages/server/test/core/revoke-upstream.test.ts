import { beforeEach, expect, test } from 'vitest'
import { createFinishDeletions } from '../../src/core/connections/delete-connection.ts'
import { createGiveBackTokens } from '../../src/core/grants/give-back-tokens.ts'
import { createRevokeLocally } from '../../src/core/grants/revoke-grant.ts'
import { createRetryRevocations, createRevokeUpstream } from '../../src/core/grants/revoke-upstream.ts'
import { type OAuth, ProviderFailure } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { silentLog, useStores } from '../support/stores.ts'

describeEachDatabase('revoking at the provider', (database) => {
  const stores = useStores(database)
  let revoked: string[]
  let answer: (hint: string) => Promise<'revoked' | 'gone'>
  beforeEach(() => {
    revoked = []
    answer = async () => 'revoked'
  })

  const unused = () => Promise.reject(new Error('not part of this test'))
  const oauth: OAuth = {
    resolveProvider: unused,
    defaultScopes: () => [],
    findAccount: unused,
    authorizationUrl: unused,
    pushAuthorization: unused,
    exchangeCode: unused,
    refresh: unused,
    requestToken: unused,
    assertionHabits: () => ({ audience: null, subject: 'issuer', scope_claim: false, lifetime: 120 }),
    startDevice: unused,
    pollDevice: unused,
    async revoke(_client, token, hint) {
      const outcome = await answer(hint)
      if (outcome === 'revoked') revoked.push(token.reveal())
      return outcome
    },
  }
  const deps = () => ({ ...stores, oauth, log: silentLog, leaseSeconds: 30 })
  const never = new AbortController().signal
  const retry = () => createRetryRevocations(deps())(never)
  const makeDue = () =>
    stores.db
      .updateTable('revocations')
      .set({ next_attempt_at: new Date(0) })
      .execute()

  async function revokedGrant() {
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 60 })
    const { queued } = await createRevokeLocally(deps())(connection, grant)
    if (!('revocationId' in queued)) throw new Error('nothing was queued')
    return { connection, grant, id: queued.revocationId }
  }
  const lastError = async (id: string) => (await stores.grants.findById(id))?.grant.lastError

  test('revokes the refresh token first and the access token too', async () => {
    const { id } = await revokedGrant()
    expect(await createRevokeUpstream(deps())(id)).toEqual({ upstream: 'revoked', detail: null })
    expect(revoked).toEqual(['first refresh token', 'first access token'])
  })

  test('is tried again in the background until it is done, and the grant tells of it meanwhile', async () => {
    const { id, grant } = await revokedGrant()
    answer = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503'))
    expect(await createRevokeUpstream(deps())(id)).toEqual({ upstream: 'retrying', detail: 'HTTP 503' })
    expect(await lastError(grant.id)).toMatchObject({ detail: 'Not yet revoked at the provider: HTTP 503' })

    await retry()
    expect(revoked, 'not before it is due').toEqual([])
    answer = async () => 'revoked'
    await makeDue()
    await retry()
    expect(revoked).toEqual(['first refresh token', 'first access token'])
    expect(await lastError(grant.id)).toBeNull()
    await makeDue()
    await retry()
    expect(revoked, 'once').toHaveLength(2)
  })

  test('is done when the provider revokes refresh tokens only', async () => {
    const { id } = await revokedGrant()
    answer = async (hint) => {
      if (hint === 'access_token') throw new ProviderFailure('unsupported', 'unsupported_token_type')
      return 'revoked'
    }
    expect(await createRevokeUpstream(deps())(id)).toEqual({ upstream: 'revoked', detail: null })
    expect(revoked).toEqual(['first refresh token'])
  })

  const accessTokensOnly = (outcome: 'revoked' | 'gone') => async (hint: string) => {
    if (hint === 'refresh_token') throw new ProviderFailure('unsupported', 'by the access_token only')
    return outcome
  }

  test('is done when the provider revokes by the access token only', async () => {
    const { id, grant } = await revokedGrant()
    answer = accessTokensOnly('revoked')
    expect(await createRevokeUpstream(deps())(id)).toEqual({ upstream: 'revoked', detail: null })
    expect(revoked).toEqual(['first access token'])
    expect(await stores.revocations.findForGrant(grant.id)).toBeUndefined()
  })

  test('is not said to be done when such a provider does not know the access token any more', async () => {
    const { id, grant } = await revokedGrant()
    answer = accessTokensOnly('gone')
    expect(await createRevokeUpstream(deps())(id)).toEqual({
      upstream: 'failed',
      detail: expect.stringContaining('The refresh token may still work'),
    })
    expect(await lastError(grant.id)).toMatchObject({
      class: 'permanent',
      detail: expect.stringContaining("provider's console"),
    })
    expect(await stores.revocations.findForGrant(grant.id)).toBeUndefined()
  })

  test('is done when the provider knows neither token any more', async () => {
    const { id } = await revokedGrant()
    answer = async () => 'gone'
    expect(await createRevokeUpstream(deps())(id)).toEqual({ upstream: 'revoked', detail: null })
  })

  test('is done when the provider does not know the access token of a grant without a refresh token', async () => {
    const connection = await stores.newConnection()
    const grant = await stores.newActiveGrant(connection, { expiresIn: 60, refresh: false })
    const { queued } = await createRevokeLocally(deps())(connection, grant)
    if (!('revocationId' in queued)) throw new Error('nothing was queued')
    answer = async () => 'gone'
    expect(await createRevokeUpstream(deps())(queued.revocationId)).toMatchObject({ upstream: 'revoked' })
  })

  test('is unsupported when the provider takes neither token', async () => {
    const { id, grant } = await revokedGrant()
    answer = () => Promise.reject(new ProviderFailure('unsupported', 'by no token'))
    expect(await createRevokeUpstream(deps())(id)).toEqual({ upstream: 'unsupported', detail: 'by no token' })
    expect(await stores.revocations.findForGrant(grant.id)).toBeUndefined()
  })

  test('of tokens that found no place is done by the access token, too', async () => {
    const connection = await stores.newConnection()
    answer = accessTokensOnly('revoked')
    const giveBackTokens = createGiveBackTokens({ ...deps(), revokeUpstream: createRevokeUpstream(deps()) })
    await giveBackTokens(
      { connection, grantId: undefined },
      {
        accessToken: new Secret('new access token'),
        tokenType: 'Bearer',
        expiresIn: 60,
        expiryAssumed: false,
        refreshToken: new Secret('new refresh token'),
        refreshTokenExpiresIn: null,
        scope: null,
      },
    )
    expect(revoked).toEqual(['new access token'])
  })

  test('is given up after many attempts, and says what a person can do', async () => {
    const { id, grant } = await revokedGrant()
    answer = () => Promise.reject(new ProviderFailure('client', 'invalid_client'))
    await stores.db.updateTable('revocations').set({ attempts: 19 }).where('id', '=', id).execute()
    expect(await createRevokeUpstream(deps())(id)).toMatchObject({
      upstream: 'failed',
      detail: expect.stringContaining("provider's console"),
    })
    expect(await lastError(grant.id)).toMatchObject({ detail: expect.stringContaining('given up') })
    expect(await stores.revocations.findForGrant(grant.id)).toBeUndefined()
  })

  test('stops between two when the vault stops', async () => {
    await revokedGrant()
    await revokedGrant()
    await makeDue()
    const stopping = new AbortController()
    answer = async () => {
      stopping.abort()
      return 'revoked'
    }
    await createRetryRevocations(deps())(stopping.signal)
    expect(revoked).toHaveLength(2)
    answer = async () => 'revoked'
    await retry()
    expect(revoked).toHaveLength(4)
  })

  test('of a deletion that a crash interrupted is queued by the next round, whatever another one is damaged by', async () => {
    const damaged = await stores.newConnection()
    const whole = await stores.newConnection()
    for (const connection of [damaged, whole]) {
      await stores.newActiveGrant(connection, { expiresIn: 60 })
      await stores.connections.markDeleted(connection.id)
    }
    const flipped = Buffer.from('not sealed at all, and far too short')
    await stores.db
      .updateTable('grants')
      .set({ access_token: flipped, refresh_token: flipped })
      .where('connection_id', '=', damaged.id)
      .execute()
    const finishDeletions = createFinishDeletions({ ...deps(), revokeLocally: createRevokeLocally(deps()) })
    await finishDeletions(never)
    expect(await stores.connections.findById(damaged.id)).toBeUndefined()
    await retry()
    expect(revoked).toEqual(['first refresh token', 'first access token'])
    await finishDeletions(never)
    expect(await stores.connections.findById(whole.id)).toBeUndefined()
  })
})
