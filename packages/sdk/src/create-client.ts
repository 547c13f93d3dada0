import type { Operation, Token } from '@authconn/shared'
import type { OperationName } from '@authconn/shared/routes'
import { AuthconnError } from './authconn-error.ts'
import { buildRequest } from './build-request.ts'
import { checkAnswer } from './check-answer.ts'
import { checkApiKey, checkUrl } from './check-settings.ts'
import { explainFailure } from './explain-failure.ts'
import type { AnyInput, CallArguments, CallOptions } from './operation-input.ts'
import { readAnswer } from './read-answer.ts'

export interface ClientOptions {
  /** Where the vault is: https, or http on this machine. */
  url: string
  apiKey: string
  /** Milliseconds for a whole call, 30 000 unless given. */
  timeout?: number
  /** Sends the API key over plain http to another machine: for private networks only. */
  allowInsecureHttp?: boolean
  fetch?: typeof fetch
}

export interface AuthconnClient {
  /** Any operation of the vault by its name. Throws AuthconnError. */
  call<N extends OperationName>(operation: N, ...args: CallArguments<N>): Promise<Operation<N>['response']>
  /** A token that is valid now: `{ access_token, token_type, expires_at (ISO 8601 or null), … }`. Throws AuthconnError. */
  getConnectionToken(name: string, options?: CallOptions & { subject?: string }): Promise<Token>
}

/** A typed client of one vault. It opens no connection before the first call. Throws usage and invalid_api_key. */
export function createClient(options: ClientOptions): AuthconnClient {
  const base = checkUrl(options.url, options.allowInsecureHttp === true)
  // Kept in this closure only, so that no inspection or serialization of the client can show it.
  const apiKey = checkApiKey(options.apiKey)
  const send = options.fetch ?? fetch
  const defaultTimeout = options.timeout ?? 30_000

  function call<N extends OperationName>(
    operation: N,
    ...args: CallArguments<N>
  ): Promise<Operation<N>['response']>
  async function call(
    operation: OperationName,
    input: AnyInput = {},
    callOptions: CallOptions = {},
  ): Promise<unknown> {
    const { url, ...request } = buildRequest(base, operation, input, apiKey)
    const timeout = callOptions.timeout ?? defaultTimeout
    const late = AbortSignal.timeout(timeout)
    const signal = callOptions.signal ? AbortSignal.any([callOptions.signal, late]) : late
    try {
      // A redirect would carry the API key, and the answer, to another place.
      const response = await send(url, { ...request, redirect: 'manual', signal })
      const answer = await readAnswer(response, base.origin, apiKey)
      checkAnswer(operation, answer, base.origin)
      return answer
    } catch (error) {
      callOptions.signal?.throwIfAborted()
      if (error instanceof AuthconnError) throw error
      const reason = late.aborted ? `no answer within ${timeout / 1000} seconds` : explainFailure(error)
      throw new AuthconnError('vault_unreachable', `${base.origin}: ${reason}`, { cause: error })
    }
  }

  return {
    call,
    async getConnectionToken(name, { subject, ...callOptions } = {}) {
      const token = await call(
        'getToken',
        { params: { name }, query: subject === undefined ? {} : { subject } },
        callOptions,
      )
      if (typeof token.access_token === 'string' && token.access_token !== '') return token
      throw new AuthconnError('vault_answer_invalid', `${base.origin} answered without an access token.`)
    },
  }
}
