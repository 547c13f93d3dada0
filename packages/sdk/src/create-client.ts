import type { Operation } from '@authconn/shared'
import type { OperationName } from '@authconn/shared/routes'
import { type ApiKeys, fixedKey, issuedKeys } from './api-keys.ts'
import { type AskVault, checkTimeout, createAskVault } from './ask-vault.ts'
import { AuthconnError } from './authconn-error.ts'
import { checkNumber } from './check-number.ts'
import { checkApiKey, checkUrl } from './check-settings.ts'
import type { ConnectionName } from './connection-names.ts'
import { type AuthenticatedFetchOptions, createAuthenticatedFetch } from './create-authenticated-fetch.ts'
import { createGetToken } from './create-get-token.ts'
import { exchangeIdentity } from './exchange-identity.ts'
import { audienceOf, type GetIdentityToken } from './identity.ts'
import type { AnyInput, CallArguments, CallOptions } from './operation-input.ts'
import type { GetConnectionToken } from './token-query.ts'

export interface ClientOptions {
  /** Where the vault is: https, or http on this machine. */
  url: string
  /** The API key; or else `identity`. */
  apiKey?: string | undefined
  /**
   * Instead of a stored key: what resolves to an OIDC token of this program, as `platformIdentity` does in a CI job or a pod. The
   * vault exchanges it for a key that is good for some minutes, which is kept in memory and renewed.
   */
  identity?: GetIdentityToken | undefined
  /** Whom those tokens are for: the URL of the vault unless given. */
  audience?: string | undefined
  /** The workspace whose trust it is; the default one unless given. */
  workspace?: string | undefined
  /** The name of the trust, where several may be meant. */
  trust?: string | undefined
  /** Milliseconds for a whole call, 30 000 unless given; for a token fetch, with its retries. */
  timeout?: number
  /**
   * How often a token fetch is tried again when the vault says when to (Retry-After) or does not answer: 2 unless given, 0
   * for not at all. Other operations are never repeated.
   */
  retries?: number | undefined
  /**
   * Seconds for which a token is given again without asking the vault, as long as it lives as long as asked: 60 unless
   * given. 0 asks the vault each time, so that a revocation there holds at once here, too.
   */
  reuseFor?: number | undefined
  /** Sends the API key over plain http to another machine: for private networks only. */
  allowInsecureHttp?: boolean
  fetch?: typeof fetch
}

export interface AuthconnClient {
  /** Any operation of the vault by its name. Throws AuthconnError. */
  call<N extends OperationName>(operation: N, ...args: CallArguments<N>): Promise<Operation<N>['response']>
  /**
   * A token that is valid now: `{ access_token, token_type, expires_at (ISO 8601 or null), version, … }`. It may be one that
   * was fetched up to `reuseFor` seconds ago; those who ask the same at once share one fetch.
   * Throws AuthconnError: usage for an option that is not valid, grant_expired, min_ttl_unreachable and others.
   */
  getConnectionToken: GetConnectionToken
  /**
   * A fetch for an API, with the connection's token in the Authorization header, got as by getConnectionToken. When the API
   * answers with 401, the vault is told that the token was refused, and the request is sent once more if the vault has another one. The 401 is given back as it is when there
   * is none, and when the body was a stream, which cannot be sent again (that of a Request is kept in memory for it).
   *
   * Throws AuthconnError: usage for a URL that no token may be sent to, and what the vault says instead of a token
   * (such as grant_expired), also in place of a 401, since it tells what to do. Throws what fetch throws, too.
   */
  authenticatedFetch(name: ConnectionName, options?: AuthenticatedFetchOptions): typeof fetch
}

/**
 * A typed client of one vault. It opens no connection before the first call. Throws usage and invalid_api_key; without
 * `apiKey` and `identity` it is good for what the vault tells everybody.
 */
export function createClient(options: ClientOptions): AuthconnClient {
  const base = checkUrl(options.url, options.allowInsecureHttp === true)
  const send = options.fetch ?? fetch
  const defaultTimeout = options.timeout === undefined ? 30_000 : checkTimeout(options.timeout)
  // Kept in this closure only, so that no inspection or serialization of the client can show a key.
  const exchange = createAskVault(
    { base, send, timeout: defaultTimeout },
    keysOf(options, base, send, (...asked) => exchange(...asked)),
  )

  function call<N extends OperationName>(
    operation: N,
    ...args: CallArguments<N>
  ): Promise<Operation<N>['response']>
  async function call(operation: OperationName, input?: AnyInput, callOptions?: CallOptions): Promise<unknown> {
    return (await exchange(operation, input, callOptions)).answer
  }

  const getConnectionToken = createGetToken(
    async (name, query, callOptions) => {
      const askedAt = Date.now()
      const { answer, date } = await exchange('getToken', { params: { name }, query }, callOptions)
      const answeredAt = date === null ? Number.NaN : Date.parse(date)
      return {
        token: checkToken(answer as Operation<'getToken'>['response'], base.origin),
        askedAt,
        answeredAt: Number.isNaN(answeredAt) ? undefined : answeredAt,
      }
    },
    {
      timeout: defaultTimeout,
      chosenTimeout: options.timeout,
      retries: checkNumber('retries', options.retries ?? 2, { from: 0, to: 10 }),
      reuseFor: checkNumber('reuseFor', options.reuseFor ?? 60, { unit: 'seconds', from: 0, to: 86_400 }),
    },
  )

  return {
    call,
    getConnectionToken,
    authenticatedFetch: (name, asked) => createAuthenticatedFetch(getConnectionToken, name, asked),
  }
}

function checkToken(token: Operation<'getToken'>['response'], origin: string) {
  if (token.access_token !== '') return token
  throw new AuthconnError('vault_answer_invalid', `${origin} answered without an access token.`)
}

/** Throws usage where they contradict each other, and invalid_api_key. */
function keysOf(options: ClientOptions, base: URL, send: typeof fetch, ask: AskVault): ApiKeys {
  const { apiKey, identity, audience, workspace, trust } = options
  if (apiKey !== undefined && identity !== undefined) throw refusal('Give apiKey or identity, not both.')
  if (identity === undefined && (audience ?? workspace ?? trust) !== undefined) {
    throw refusal('audience, workspace and trust go with identity.')
  }
  if (apiKey !== undefined) return fixedKey(checkApiKey(apiKey))
  if (identity === undefined) return noKey(base)
  const settings = { identity, workspace, trust, audience: audience ?? audienceOf(base.href) }
  return issuedKeys((signal) =>
    exchangeIdentity(settings, { signal, fetch: send }, async (body) => {
      const { answer } = await ask('exchangeToken', { body }, { signal })
      return answer as Operation<'exchangeToken'>['response']
    }),
  )
}

function refusal(detail: string): AuthconnError {
  return new AuthconnError('usage', detail, {
    title: 'An option is not valid',
    hint: 'Correct it in the code, or leave it out.',
  })
}

function noKey({ origin }: URL): ApiKeys {
  return {
    async get() {
      throw new AuthconnError('unauthenticated', `The client of ${origin} has neither an apiKey nor an identity.`)
    },
    drop: () => false,
  }
}
