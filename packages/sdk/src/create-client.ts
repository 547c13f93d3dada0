import type { Operation } from '@authconn/shared'
import type { OperationName } from '@authconn/shared/routes'
import { AuthconnError } from './authconn-error.ts'
import { buildRequest } from './build-request.ts'
import { checkAnswer } from './check-answer.ts'
import { checkNumber } from './check-number.ts'
import { checkApiKey, checkUrl } from './check-settings.ts'
import type { ConnectionName } from './connection-names.ts'
import { type AuthenticatedFetchOptions, createAuthenticatedFetch } from './create-authenticated-fetch.ts'
import { createGetToken } from './create-get-token.ts'
import { explainFailure } from './explain-failure.ts'
import type { AnyInput, CallArguments, CallOptions } from './operation-input.ts'
import { readAnswer } from './read-answer.ts'
import type { GetConnectionToken } from './token-query.ts'

export interface ClientOptions {
  /** Where the vault is: https, or http on this machine. */
  url: string
  apiKey: string
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
   * A fetch for an API, with the connection's token in the Authorization header, got as by getConnectionToken. When the API answers with 401, the vault is told that the token was
   * refused, and the request is sent once more if the vault has another one. The 401 is given back as it is when there
   * is none, and when the body was a stream, which cannot be sent again (that of a Request is kept in memory for it).
   *
   * Throws AuthconnError: usage for a URL that no token may be sent to, and what the vault says instead of a token
   * (such as grant_expired), also in place of a 401, since it tells what to do. Throws what fetch throws, too.
   */
  authenticatedFetch(name: ConnectionName, options?: AuthenticatedFetchOptions): typeof fetch
}

/** A typed client of one vault. It opens no connection before the first call. Throws usage and invalid_api_key. */
export function createClient(options: ClientOptions): AuthconnClient {
  const base = checkUrl(options.url, options.allowInsecureHttp === true)
  // Kept in this closure only, so that no inspection or serialization of the client can show it.
  const apiKey = checkApiKey(options.apiKey)
  const send = options.fetch ?? fetch
  const defaultTimeout = options.timeout === undefined ? 30_000 : checkTimeout(options.timeout)

  function call<N extends OperationName>(
    operation: N,
    ...args: CallArguments<N>
  ): Promise<Operation<N>['response']>
  async function call(operation: OperationName, input?: AnyInput, callOptions?: CallOptions): Promise<unknown> {
    return (await exchange(operation, input, callOptions)).answer
  }

  async function exchange(operation: OperationName, input: AnyInput = {}, callOptions: CallOptions = {}) {
    const { url, ...request } = buildRequest(base, operation, input, apiKey)
    if (callOptions.requestId !== undefined) request.headers['x-request-id'] = callOptions.requestId
    const timeout = callOptions.timeout === undefined ? defaultTimeout : checkTimeout(callOptions.timeout)
    const late = AbortSignal.timeout(timeout)
    const signal = callOptions.signal ? AbortSignal.any([callOptions.signal, late]) : late
    try {
      // A redirect would carry the API key, and the answer, to another place.
      const response = await send(url, { ...request, redirect: 'manual', signal })
      const answer = await readAnswer(response, base.origin, apiKey)
      checkAnswer(operation, answer, base.origin)
      return { answer, date: response.headers.get('date') }
    } catch (error) {
      callOptions.signal?.throwIfAborted()
      if (error instanceof AuthconnError) throw error
      const reason = late.aborted ? `no answer within ${timeout / 1000} seconds` : explainFailure(error)
      throw new AuthconnError('vault_unreachable', `${base.origin}: ${reason}`, { cause: error })
    }
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

/** Timers of the platform take no longer ones: they would fire at once. */
function checkTimeout(timeout: number): number {
  return checkNumber('timeout', timeout, { unit: 'milliseconds', from: 1, to: 2_147_483_647 })
}
