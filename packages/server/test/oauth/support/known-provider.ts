import nock from 'nock'
import { afterEach, beforeEach, expect } from 'vitest'
import { createOAuth } from '../../../src/adapters/oauth/create-oauth.ts'
import type { AuthorizationRequest, OAuth, OAuthClient, TokenSet } from '../../../src/core/oauth-port.ts'
import { Secret } from '../../../src/core/secret.ts'
import { callback, requestOf, secretMethods, secretOf } from './clients.ts'
import { openLockedDoor, openMockedDoor } from './doors.ts'

/** The client of every test, proven by Basic authentication. */
export const basic = { authorization: `Basic ${btoa('client-id:client-secret')}` }

type Hint = Parameters<OAuth['revoke']>[2]

/**
 * What the vault does at a provider of the catalog, named by its id or its URL, with nock in place of the internet. Every
 * answer that a test prepares must have been asked for.
 */
export function useKnownProviders() {
  let oauth: OAuth

  beforeEach(() => {
    nock.disableNetConnect()
    oauth = createOAuth({ safeFetch: openMockedDoor(), refreshTimeoutMs: 2_000 })
  })

  afterEach(() => {
    expect(nock.pendingMocks()).toEqual([])
    nock.cleanAll()
    nock.enableNetConnect()
    nock.restore()
    nock.activate()
  })

  return {
    async exchange(named: string, request: Partial<AuthorizationRequest> = {}, parameters = {}, variables = {}) {
      const redirected = callback({ code: 'code-1', state: 'state-0123456789', ...parameters })
      const client = await connect(named, variables)
      return revealed(await oauth.exchangeCode(client, requestOf({ scopes: [], ...request }), redirected))
    },
    refresh: async (named: string) => revealed(await oauth.refresh(await connect(named), new Secret('refresh-1'))),
    revoke: async (named: string, hint: Hint = 'access_token') =>
      oauth.revoke(await connect(named), new Secret('token-1'), hint),
    account: async (named: string, variables = {}) =>
      oauth.findAccount(await connect(named, variables), new Secret('token-1')),
    async urlOf(named: string, scopes: string[]) {
      const url = await oauth.authorizationUrl(await connect(named), requestOf({ scopes }))
      return new URL(url).searchParams
    },
  }
}

/** Without a call: what is known is not asked for. */
export async function connect(named: string, variables = {}): Promise<OAuthClient> {
  const { resolveProvider } = createOAuth({ safeFetch: openLockedDoor(), refreshTimeoutMs: 2_000 })
  const by = named.startsWith('https:') ? { providerUrl: named } : { provider: named }
  const client = { ...by, variables, clientId: 'client-id', endpoints: {}, authMethods: secretMethods }
  return { ...(await resolveProvider(client)), clientId: 'client-id', credential: secretOf('client-secret') }
}

const revealed = <T extends TokenSet>({ accessToken, refreshToken, ...rest }: T) => ({
  ...rest,
  accessToken: accessToken.reveal(),
  refreshToken: refreshToken?.reveal() ?? null,
})
