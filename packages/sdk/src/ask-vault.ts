import type { OperationName } from '@authconn/shared/routes'
import type { ApiKeys } from './api-keys.ts'
import { AuthconnError } from './authconn-error.ts'
import { buildRequest } from './build-request.ts'
import { checkAnswer } from './check-answer.ts'
import { checkNumber } from './check-number.ts'
import { explainRefusal } from './exchange-identity.ts'
import { explainFailure } from './explain-failure.ts'
import type { AnyInput, CallOptions } from './operation-input.ts'
import { readAnswer } from './read-answer.ts'

export interface VaultAnswer {
  answer: object
  /** Its Date header. */
  date: string | null
}

export type AskVault = (operation: OperationName, input?: AnyInput, options?: CallOptions) => Promise<VaultAnswer>

/** What the vault answers to whom it does not know. */
const open: ReadonlySet<OperationName> = new Set(['getHealth', 'getReadiness', 'exchangeToken', 'listLogins'])

/** Asks one vault for an operation, in one request and within a time. Throws AuthconnError, or the signal's reason. */
export function createAskVault(
  { base, send, timeout: usualTimeout }: { base: URL; send: typeof fetch; timeout: number },
  keys: ApiKeys,
): AskVault {
  return async function askVault(operation, input = {}, options = {}) {
    const timeout = options.timeout === undefined ? usualTimeout : checkTimeout(options.timeout)
    const late = AbortSignal.timeout(timeout)
    const signal = options.signal ? AbortSignal.any([options.signal, late]) : late
    try {
      return await askWithKey(operation, input, signal, options.requestId)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof AuthconnError) throw error
      const reason = late.aborted ? `no answer within ${timeout / 1000} seconds` : explainFailure(error)
      throw new AuthconnError('vault_unreachable', `${base.origin}: ${reason}`, { cause: error })
    }
  }

  async function askWithKey(
    operation: OperationName,
    input: AnyInput,
    signal: AbortSignal,
    requestId: string | undefined,
  ): Promise<VaultAnswer> {
    if (open.has(operation)) {
      return askOnce(operation, input, undefined, signal, requestId).catch((error: unknown) => {
        const token = error instanceof AuthconnError && error.code === 'identity_refused' && tokenOf(input)
        throw typeof token === 'string' ? explainRefusal(error as AuthconnError, token) : error
      })
    }
    const begun = Date.now()
    const apiKey = await keys.get(signal)
    try {
      return await askOnce(operation, input, apiKey, signal, requestId)
    } catch (error) {
      const isRefused = error instanceof AuthconnError && error.code === 'invalid_api_key'
      if (!isRefused || !keys.drop(apiKey, begun)) throw error
    }
    // Nothing was done for a key that was refused: one that had ended before its time is replaced.
    return askOnce(operation, input, await keys.get(signal), signal, requestId)
  }

  async function askOnce(
    operation: OperationName,
    input: AnyInput,
    apiKey: string | undefined,
    signal: AbortSignal,
    requestId: string | undefined,
  ): Promise<VaultAnswer> {
    const { url, ...request } = buildRequest(base, operation, input, apiKey)
    if (requestId !== undefined) request.headers['x-request-id'] = requestId
    // A redirect would carry the API key, and the answer, to another place.
    const response = await send(url, { ...request, redirect: 'manual', signal })
    const answer = await readAnswer(response, base.origin, secretsOf(apiKey, input))
    checkAnswer(operation, answer, base.origin)
    return { answer, date: response.headers.get('date') }
  }
}

/** What must not come back in an error. */
function secretsOf(apiKey: string | undefined, input: AnyInput): string[] {
  return [apiKey, tokenOf(input)].filter((secret) => secret !== undefined && secret !== '') as string[]
}

/** The OIDC token that is to be exchanged. */
function tokenOf({ body }: AnyInput): string | undefined {
  const token =
    typeof body === 'object' && body !== null && 'subject_token' in body ? body.subject_token : undefined
  return typeof token === 'string' ? token : undefined
}

/** Timers of the platform take no longer ones: they would fire at once. */
export function checkTimeout(timeout: number): number {
  return checkNumber('timeout', timeout, { unit: 'milliseconds', from: 1, to: 2_147_483_647 })
}
