import type { Account, AccountLookup } from '@authconn/shared'
import { type OAuth, type OAuthClient, ProviderFailure } from '../../core/oauth-port.ts'
import { readAccount } from './grant-facts.ts'
import { findCatalogEntry } from './providers.ts'
import { readJsonObject } from './read-json.ts'
import type { SafeFetch } from './safe-fetch.ts'

/** Whoever authorizes waits for it. */
const patienceMs = 3_000

const maxAnswer = 64 * 1024

/** OpenID Connect Core section 5.1, for providers that the catalog does not know. */
const standardLookup: AccountLookup = {
  source: 'userinfo',
  id: 'sub',
  email: 'email',
  login: 'preferred_username',
  name: 'name',
}

/** Asks whose token it is, where the catalog or the provider's metadata has a place for that. Throws ProviderFailure. */
export function createFindAccount(safeFetch: SafeFetch): OAuth['findAccount'] {
  return async function findAccount(client, accessToken): Promise<Account | null> {
    const lookup = client.provider === null ? standardLookup : findCatalogEntry(client.provider)?.account
    const url = lookup && placeOf(client, lookup)
    if (!url) return null
    const { method = 'GET', body } = lookup
    const response = await safeFetch(url, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        accept: 'application/json',
        authorization: `Bearer ${accessToken.reveal()}`,
      },
      ...(body === undefined ? {} : { body }),
      maxBodyBytes: maxAnswer,
      timeoutMs: patienceMs,
    })
    return readAccount(await readAnswer(response, url), lookup, accessToken)
  }
}

function placeOf({ endpoints }: OAuthClient, { source, url }: AccountLookup): string | undefined {
  return source === 'userinfo' ? endpoints.userinfo_endpoint : url
}

async function readAnswer(response: Response, url: string): Promise<unknown> {
  const fail = (what: string) => new ProviderFailure('unrecognized', `${url} answered ${what}`)
  if (!response.ok) throw fail(String(response.status))
  const answer = await readJsonObject(response)
  if (typeof answer === 'string') throw fail(answer)
  return answer
}
