import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { places } from '../../src/core/crypto/places.ts'
import { ProviderFailure } from '../../src/core/oauth-port.ts'
import { Secret } from '../../src/core/secret.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleTokenSet as tokens, useReplicas } from '../support/replicas.ts'

describeEachDatabase('an attempt whose outcome nobody knows', (database) => {
  const { stores, provider, replica, connectionWithToken, stored, eventsOf, passTime } = useReplicas(database)

  const refusal = new ProviderFailure('invalid_grant', 'answered 400 invalid_grant')

  /** What a process leaves behind that dies between the provider's answer and its commit. */
  async function dieDuringRefresh(name: string) {
    const grant = await stored(name)
    const lease = { grantId: grant.id, generation: grant.generation, owner: 'dead' }
    expect(await stores.grants.takeLease(lease, 0.2, { failures: 0 })).toEqual({ interruptedAt: null })
    await sleep(250)
  }

  test('is known to the next, which is what invalid_grant then means', async () => {
    const { name } = await connectionWithToken(-10)
    await dieDuringRefresh(name)
    provider.answer = () => Promise.reject(refusal)
    await expect(replica().issueToken(name)).rejects.toMatchObject({
      code: 'grant_expired',
      message: /invalid_grant\. Interrupted refresh: an attempt at 20\d\d-.*Z ended before its outcome was known/,
    })
    expect(await stored(name)).toMatchObject({
      status: 'expired',
      lastError: { code: 'grant_expired', class: 'interrupted' },
    })
    expect(provider.outcomes).toEqual(['interrupted'])
    expect(await eventsOf(name)).toEqual(['grant.expired'])
    const [event] = await stores.events.list((await stored(name)).connectionId, null, {
      limit: 1,
      after: undefined,
      subject: undefined,
    })
    expect(event).toMatchObject({ class: 'interrupted', detail: /Interrupted refresh/ })
  })

  test('costs nothing where the provider forgives a reuse', async () => {
    const { name } = await connectionWithToken(-10)
    await dieDuringRefresh(name)
    expect((await replica().issueToken(name)).accessToken.reveal()).toBe('second access token')
    provider.answer = () => Promise.reject(refusal)
    await stores.db
      .updateTable('grants')
      .set({ expires_at: new Date(0) })
      .execute()
    // The success has settled it: what is refused later is refused for itself.
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'grant_expired' })
    expect((await stored(name)).lastError?.class).toBe('permanent')
  })

  test.each([
    ['a timeout', 'unknown', 'interrupted'],
    ['a refused connection', 'none', 'permanent'],
  ] as const)('%s counts for what it may have done', async (_what, outcome, failureClass) => {
    const { name } = await connectionWithToken(-10)
    const failures = [new ProviderFailure('passing', 'no answer', { outcome }), refusal]
    provider.answer = () => Promise.reject(failures.shift())
    const vault = replica()
    await expect(vault.issueToken(name)).rejects.toMatchObject({ code: 'provider_unavailable' })
    await passTime(name)
    await expect(vault.issueToken(name)).rejects.toMatchObject({ code: 'grant_expired' })
    expect((await stored(name)).lastError?.class).toBe(failureClass)
  })

  test('is not forgotten over an answer that settles nothing', async () => {
    const { name } = await connectionWithToken(-10)
    await dieDuringRefresh(name)
    const failures = [new ProviderFailure('passing', 'answered 429', { status: 429, retryAfter: 1 }), refusal]
    provider.answer = () => Promise.reject(failures.shift())
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'provider_unavailable' })
    await passTime(name)
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'grant_expired' })
    expect((await stored(name)).lastError?.class).toBe('interrupted')
  })

  test('a new refresh token that comes without a usable access token is kept, and used next', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = async () => {
      throw new ProviderFailure('unintelligible', 'no usable access_token', { rotated: new Secret('rotated') })
    }
    await expect(replica().issueToken(name)).rejects.toMatchObject({ code: 'provider_answer_invalid' })
    const grant = await stored(name)
    const kept = grant.refreshToken && (await stores.keyring.open(places.refreshToken(grant), grant.refreshToken))
    expect(kept?.reveal()).toBe('rotated')
    await passTime(name)
    provider.answer = async () => tokens('second')
    expect((await replica().issueToken(name)).accessToken.reveal()).toBe('second access token')
    expect(provider.calls).toEqual(['first refresh token', 'rotated'])
  })

  test('a lease is renewed for as long as the provider takes, and nobody else asks it', async () => {
    const { name } = await connectionWithToken(-10)
    provider.answer = async () => {
      await sleep(5_500)
      return tokens('second')
    }
    const answers = await Promise.all([replica().issueToken(name), replica().issueToken(name)])
    expect(answers.map((token) => token.accessToken.reveal())).toEqual([
      'second access token',
      'second access token',
    ])
    expect(provider.calls).toHaveLength(1)
  }, 15_000)

  test('who lost the lease writes nothing, neither tokens nor a failure', async () => {
    for (const late of [async () => tokens('late'), () => Promise.reject(refusal)]) {
      const { name } = await connectionWithToken(-10)
      let first = true
      provider.answer = async () => {
        if (!first) return tokens('second')
        first = false
        // The process stalls past its lease, and another takes over.
        await passTime(name)
        await replica().issueToken(name)
        return late()
      }
      const token = await replica({ grants: { renewLeases: async () => {} } }).issueToken(name)
      expect(token.accessToken.reveal()).toBe('second access token')
      expect(await stored(name)).toMatchObject({ status: 'active', failureCount: 0, generation: 2 })
    }
    expect(provider.outcomes).toContain('lease lost')
  })
})
