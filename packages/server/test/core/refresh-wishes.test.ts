import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet as tokens, useReplicas } from '../support/replicas.ts'

describeEachDatabase('what a caller may ask for', (database) => {
  const { provider, replica, connectionWithToken, stored, passTime, backdateRejection } = useReplicas(database)

  test('force_refresh refreshes a good token, once for all who ask at the same time', async () => {
    const { name } = await connectionWithToken(3000)
    provider.answer = async () => {
      await sleep(100)
      return tokens('second')
    }
    const replicas = [replica(), replica()]
    const forced = await Promise.all(
      Array.from({ length: 20 }, (_, index) => replicas[index % 2]?.issueToken(name, { force: true })),
    )
    expect(new Set(forced.map((token) => token?.accessToken.reveal()))).toEqual(new Set(['second access token']))
    expect(provider.calls).toHaveLength(1)
  })

  test('a refusal by an API counts the refresh that follows it, so that the next one has to wait longer', async () => {
    const { name } = await connectionWithToken(3000)
    const { generation } = await stored(name)
    await replica().issueToken(name, { rejectedVersion: generation })
    expect((await stored(name)).rejections).toBe(1)
  })

  test('force_refresh within seconds of a refresh is served what that one gave', async () => {
    const { name } = await connectionWithToken(3000)
    const vault = replica()
    for (let i = 0; i < 5; i++) await vault.issueToken(name, { force: true })
    expect(provider.calls).toHaveLength(1)
  })

  test('force_refresh that fails is an error and not the token that was to be replaced, which others still get', async () => {
    const { name } = await connectionWithToken(3000)
    provider.answer = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503'))
    const vault = replica()
    await expect(vault.issueToken(name, { force: true })).rejects.toMatchObject({ code: 'provider_unavailable' })
    await expect(vault.issueToken(name, { force: true })).rejects.toMatchObject({ code: 'provider_unavailable' })
    expect((await vault.issueToken(name)).accessToken.reveal()).toBe('first access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('a token that an API refused is replaced once, however many report it, and no report leads to another', async () => {
    const { name } = await connectionWithToken(3000)
    const vault = replica()
    const { version } = await vault.issueToken(name)
    const replaced = await Promise.all(
      Array.from({ length: 10 }, () => vault.issueToken(name, { rejectedVersion: version })),
    )
    expect(new Set(replaced.map((token) => token.version))).toEqual(new Set([version + 1]))
    // The new one is refused as well: it is not the token's fault.
    const again = await vault.issueToken(name, { rejectedVersion: version + 1 })
    expect(again.version).toBe(version + 1)
    // A report that comes late is of a token that is no more.
    expect((await vault.issueToken(name, { rejectedVersion: version })).version).toBe(version + 1)
    expect(provider.calls).toHaveLength(1)
  })

  test('a report without a refresh token says that there is nothing to refresh with', async () => {
    const { name } = await connectionWithToken(3000, { refresh: false })
    const vault = replica()
    const { version } = await vault.issueToken(name)
    await expect(vault.issueToken(name, { rejectedVersion: version })).rejects.toMatchObject({
      code: 'grant_not_refreshable',
    })
    expect(provider.calls).toEqual([])
  })

  test('a min_ttl that tokens cannot have is a named error after one refresh, and no loop', async () => {
    const { name } = await connectionWithToken(3000)
    const vault = replica()
    for (let i = 0; i < 5; i++) {
      await expect(vault.issueToken(name, { minTtl: 7200 })).rejects.toMatchObject({
        code: 'min_ttl_unreachable',
        message: /of its 3600 left, 7200 were asked for/,
      })
    }
    expect(provider.calls).toHaveLength(1)
    expect((await vault.issueToken(name, { minTtl: 3000 })).accessToken.reveal()).toBe('second access token')
  })

  test('a min_ttl is kept to when the refresh fails, while a caller that asks for nothing gets what there is', async () => {
    const { name } = await connectionWithToken(100)
    provider.answer = () => Promise.reject(new ProviderFailure('passing', 'HTTP 503'))
    const vault = replica()
    await expect(vault.issueToken(name, { minTtl: 600 })).rejects.toMatchObject({ code: 'provider_unavailable' })
    expect((await vault.issueToken(name)).accessToken.reveal()).toBe('first access token')
    expect((await vault.issueToken(name, { minTtl: 50 })).accessToken.reveal()).toBe('first access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('max_wait ends the wait and not the refresh', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = async () => {
      await sleep(300)
      return tokens('second')
    }
    const vault = replica()
    await expect(vault.issueToken(name, { maxWait: 0 })).rejects.toMatchObject({
      code: 'refresh_in_progress',
      retryAfter: 1,
    })
    await Promise.all(vault.background)
    expect((await vault.issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect(provider.calls).toHaveLength(1)
  })

  test('a token that is nearly over is served to a caller who cannot wait for its refresh', async () => {
    const { name } = await connectionWithToken(30)
    provider.answer = async () => {
      await sleep(200)
      return tokens('second')
    }
    const vault = replica()
    expect((await vault.issueToken(name, { maxWait: 0 })).accessToken.reveal()).toBe('first access token')
    await Promise.all(vault.background)
  })

  test('a refused client is not asked for again before it is forced, and then everyone is served', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = () =>
      Promise.reject(new ProviderFailure('client', 'invalid_client', { oauthError: 'invalid_client' }))
    const vault = replica()
    for (let i = 0; i < 3; i++) {
      const error = await vault.issueToken(name).catch((reason) => reason)
      expect(error).toMatchObject({ code: 'client_rejected', retryAfter: undefined })
    }
    expect(provider.calls).toHaveLength(1)
    expect(await stored(name)).toMatchObject({ status: 'active', blocked: true, refreshDueAt: null })
    // Not again within seconds, even by force.
    await expect(vault.issueToken(name, { force: true })).rejects.toMatchObject({ code: 'client_rejected' })
    expect(provider.calls).toHaveLength(1)

    provider.answer = async () => tokens('second')
    await backdateRejection(name)
    expect((await vault.issueToken(name, { force: true })).accessToken.reveal()).toBe('second access token')
    expect(await stored(name)).toMatchObject({ blocked: false, failureCount: 0, lastError: null })
  })

  test('answers that fit no standard are retried with pauses, and are the last word after a number of them', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = () =>
      Promise.reject(new ProviderFailure('unrecognized', 'answered 403 go_away', { status: 403 }))
    const vault = replica()
    for (let i = 0; i < 9; i++) {
      await expect(vault.issueToken(name)).rejects.toMatchObject({ code: 'provider_answer_invalid' })
      await expect(vault.issueToken(name)).rejects.toMatchObject({ code: 'provider_answer_invalid' })
      const { retryAt } = await stored(name)
      expect(retryAt?.getTime()).toBeGreaterThan(Date.now() + 10_000 * 2 ** i)
      await passTime(name)
    }
    await expect(vault.issueToken(name)).rejects.toMatchObject({
      code: 'grant_expired',
      message: /answered 403 go_away/,
    })
    expect(await stored(name)).toMatchObject({ status: 'expired', lastError: { class: 'unrecognized' } })
    await expect(vault.issueToken(name, { force: true })).rejects.toMatchObject({ code: 'grant_expired' })
    expect(provider.calls).toHaveLength(10)
  })
})
