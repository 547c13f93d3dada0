import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { places } from '../../src/core/crypto/places.ts'
import type { GrantStore } from '../../src/core/grant-port.ts'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet as tokens, useReplicas } from '../support/replicas.ts'

describeEachDatabase('refreshing', (database) => {
  const { stores, provider, replica, connectionWithToken, stored } = useReplicas(database)

  test('serves a fresh token without asking the provider', async () => {
    const { name } = await connectionWithToken(3000)
    const token = await replica().issueToken(name)
    expect(token.accessToken.reveal()).toBe('first access token')
    expect(provider.calls).toEqual([])
  })

  test('gives all callers on all replicas the new token after one call', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = async () => {
      await sleep(150)
      return tokens('second')
    }
    const replicas = [replica(), replica(), replica()]
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => replicas[index % 3]?.issueToken(name)),
    )
    expect(provider.calls).toEqual(['first refresh token'])
    expect(new Set(answers.map((token) => token?.accessToken.reveal()))).toEqual(new Set(['second access token']))
    const grant = await stored(name)
    expect(
      grant.refreshToken && (await stores.keyring.open(places.refreshToken(grant), grant.refreshToken)).reveal(),
    ).toBe('second refresh token')
  })

  test('serves a token that is due at once and refreshes it behind the answer', async () => {
    const { name } = await connectionWithToken(200)
    const vault = replica()
    expect((await vault.issueToken(name)).accessToken.reveal()).toBe('first access token')
    await Promise.all(vault.background)
    expect((await vault.issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('serves the valid token when its refresh fails for a passing reason, and asks once', async () => {
    const { name } = await connectionWithToken(30)
    provider.answer = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503', { retryAfter: 60 }))
    const vault = replica()
    for (let i = 0; i < 5; i++)
      expect((await vault.issueToken(name)).accessToken.reveal()).toBe('first access token')
    expect(provider.calls).toHaveLength(1)
    expect(await stored(name)).toMatchObject({
      status: 'active',
      failureCount: 1,
      lastError: { detail: 'HTTP 503' },
    })
  })

  test('answers provider_unavailable with the time to wait when there is no valid token, and asks once', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503', { retryAfter: 60 }))
    const vault = replica()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => vault.issueToken(name)))
    for (const outcome of [...outcomes, ...(await Promise.allSettled([vault.issueToken(name)]))]) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'provider_unavailable', message: 'HTTP 503' },
      })
      const { reason } = outcome as PromiseRejectedResult
      expect(reason.retryAfter).toBeGreaterThan(50)
    }
    expect(provider.calls).toHaveLength(1)
  })

  test('expires the grant on invalid_grant, says why, and asks no more', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = () =>
      Promise.reject(new ProviderFailure('invalid_grant', 'invalid_grant: token revoked by its owner'))
    const replicas = [replica(), replica()]
    const outcomes = await Promise.allSettled([...replicas, ...replicas].map((vault) => vault.issueToken(name)))
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: 'grant_expired', message: /revoked by its owner/ } })
    }
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'grant_expired' })
    expect(provider.calls).toHaveLength(1)
    expect(await stored(name)).toMatchObject({ status: 'expired' })
  })

  test('does not expire a grant that was authorized anew while the provider refused its old token', async () => {
    const connection = await connectionWithToken(-10)
    provider.answer = async () => {
      await stores.newActiveGrant(connection, { expiresIn: 3600 })
      throw new ProviderFailure('invalid_grant', 'invalid_grant')
    }
    expect((await replica().issueToken(connection.name)).accessToken.reveal()).toBe('first access token')
    expect(await stored(connection.name)).toMatchObject({ status: 'active', failureCount: 0 })
  })

  test('does not bring a grant back that was revoked during its refresh', async () => {
    const connection = await connectionWithToken(-10)
    provider.answer = async () => {
      await stores.grants.revoke(await stored(connection.name), null)
      return tokens('second')
    }
    await expect(replica().issueToken(connection.name)).rejects.toMatchObject({ code: 'grant_revoked' })
    expect(await stored(connection.name)).toMatchObject({ status: 'revoked', accessToken: null })
    // Nobody knows of them but the provider: they are revoked there.
    expect(provider.givenBack).toEqual(['second access token'])
  })

  test('gives nothing back of a refresh that a new authorization overtook', async () => {
    const connection = await connectionWithToken(-10)
    provider.answer = async () => {
      await stores.newActiveGrant(connection, { expiresIn: 3600 })
      return tokens('second')
    }
    expect((await replica().issueToken(connection.name)).accessToken.reveal()).toBe('first access token')
    expect(provider.givenBack).toEqual([])
  })

  test('does not serve the token of a connection that was deleted during its refresh', async () => {
    const connection = await connectionWithToken(30)
    provider.answer = async () => {
      await stores.grants.revoke(await stored(connection.name), null)
      await stores.connections.markDeleted(connection.id)
      await stores.connections.purgeDeleted()
      return tokens('second')
    }
    await expect(replica().issueToken(connection.name)).rejects.toMatchObject({ code: 'connection_not_found' })
    expect(provider.givenBack).toEqual(['second access token'])
  })

  test('stores the new tokens although the database failed a few times after the provider had answered', async () => {
    const { name } = await connectionWithToken(-10)
    let failures = 2
    const grants: GrantStore = {
      ...stores.grants,
      async saveRefreshed(lease, sealed) {
        if (failures-- > 0) throw Object.assign(new Error('Connection terminated'), { code: '57P01' })
        return stores.grants.saveRefreshed(lease, sealed)
      },
    }
    expect((await replica({ grants }).issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect((await replica().issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('takes its own write for its own when the confirmation was lost', async () => {
    const { name } = await connectionWithToken(-10)
    let lost = false
    const grants: GrantStore = {
      ...stores.grants,
      async saveRefreshed(lease, sealed) {
        const saved = await stores.grants.saveRefreshed(lease, sealed)
        if (lost) return saved
        lost = true
        throw Object.assign(new Error('Connection terminated'), { code: '57P01' })
      },
    }
    expect((await replica({ grants }).issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect(provider.givenBack).toEqual([])
  })

  test('says what is wrong to everyone who asks while it backs off, not that the provider is down', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = () => Promise.reject(new ProviderFailure('unintelligible', 'answered with a page'))
    const vault = replica()
    for (let i = 0; i < 2; i++) {
      await expect(vault.issueToken(name)).rejects.toMatchObject({ code: 'provider_answer_invalid' })
    }
    expect(provider.calls).toHaveLength(1)
  })

  test('answers refresh_in_progress when somebody else takes too long', async () => {
    const { name } = await connectionWithToken(-10)
    const grant = await stored(name)
    await stores.grants.takeLease({ grantId: grant.id, generation: grant.generation, owner: 'elsewhere' }, 30, {
      failures: 0,
    })
    await expect(replica().issueToken(name, { maxWait: 0 })).rejects.toMatchObject({
      code: 'refresh_in_progress',
      retryAfter: 1,
    })
    expect(provider.calls).toEqual([])
  })

  test('takes over when the process that held the lease died', async () => {
    const { name } = await connectionWithToken(-10)
    const grant = await stored(name)
    await stores.grants.takeLease({ grantId: grant.id, generation: grant.generation, owner: 'dead' }, 0.3, {
      failures: 0,
    })
    expect((await replica().issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('works with tokens that live for seconds', async () => {
    const { name } = await connectionWithToken(-1, { lifetime: 4 })
    provider.answer = async () => tokens('second', 4)
    const vault = replica()
    for (let i = 0; i < 10; i++) await vault.issueToken(name)
    expect(provider.calls).toHaveLength(1)
  })

  test('answers provider_answer_invalid when the new token has ended already, instead of handing it out', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = async () => tokens('second', 0)
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'provider_answer_invalid' })
  })
})
