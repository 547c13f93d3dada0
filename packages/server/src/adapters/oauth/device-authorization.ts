import { deviceAuthorizationRequest, deviceCodeGrantRequest } from 'oauth4webapi'
import { type OAuth, ProviderFailure } from '../../core/oauth-port.ts'
import { Secret } from '../../core/secret.ts'
import type { AcceptAnswer } from './accept-answer.ts'
import { type AnswerFields, parseAnswerFields } from './answer-fields.ts'
import { scopeParameter, scopesFor } from './authorization-url.ts'
import { isThisMachine } from './check-url.ts'
import { authenticate } from './client-authentication.ts'
import { prepareCall } from './provider-call.ts'
import { classifyError } from './provider-failure.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { readTokenAnswer } from './token-answer.ts'

/** Begins an authorization by a device code, and asks once for its outcome (RFC 8628). Throw ProviderFailure. */
export function createDeviceAuthorization(
  safeFetch: SafeFetch,
  accept: AcceptAnswer,
): Pick<OAuth, 'startDevice' | 'pollDevice'> {
  return {
    async startDevice(client, scopes) {
      const call = prepareCall(safeFetch, client, 'device_authorization_endpoint', [])
      const { server, oauthClient, context, options } = call
      const parameters = new URLSearchParams({
        // Some providers look for it here whatever else the client authenticates with.
        client_id: client.clientId,
        ...scopeParameter(client.provider, scopesFor(client.provider, scopes)),
      })
      const response = await deviceAuthorizationRequest(
        server,
        oauthClient,
        authenticate(client),
        parameters,
        options,
      )
      const { status, headers } = response
      const fields = parseAnswerFields(await response.text(), headers.get('content-type'))
      const known: AnswerFields = typeof fields === 'string' ? new Map() : fields
      const error = known.get('error')
      if (!response.ok || typeof error === 'string') {
        const errorDescription = known.get('error_description')
        throw classifyError({ status, headers, error, errorDescription }, context)
      }
      const codes = readCodes(known)
      if (codes) return codes
      const what = typeof fields === 'string' ? fields : 'no usable device_code, user_code and verification_uri'
      throw new ProviderFailure('unintelligible', `${context.endpoint} answered ${status} with ${what}`)
    },

    async pollDevice(client, scopes, deviceCode) {
      const call = prepareCall(safeFetch, client, 'token_endpoint', [deviceCode])
      const { server, oauthClient, context, options } = call
      const code = deviceCode.reveal()
      const response = await deviceCodeGrantRequest(server, oauthClient, authenticate(client), code, options)
      const answer = await readTokenAnswer(response, 'exchange', context)
      // There is no callback, and no nonce, which only an authorization request could hand over.
      return accept(client, { scopes, nonce: null }, answer, new URLSearchParams())
    },
  }
}

/** undefined: it lacks what nobody could go on without. */
function readCodes(fields: AnswerFields): Awaited<ReturnType<OAuth['startDevice']>> | undefined {
  const deviceCode = visible(fields.get('device_code'), 4096)
  const userCode = visible(fields.get('user_code'), 64)
  // Google wrote it in its own way before there was a standard.
  const verificationUri = page(fields.get('verification_uri') ?? fields.get('verification_url'))
  if (deviceCode === null || userCode === null || verificationUri === null) return undefined
  return {
    deviceCode: new Secret(deviceCode),
    userCode,
    verificationUri,
    verificationUriComplete: page(fields.get('verification_uri_complete')),
    expiresIn: seconds(fields.get('expires_in'), usualLife, longestLife),
    interval: seconds(fields.get('interval'), usualInterval, longestInterval),
  }
}

const usualLife = 600
const longestLife = 3600
/** RFC 8628 section 3.2. */
const usualInterval = 5
const longestInterval = 60

/** People type it, and terminals show it. */
function visible(value: unknown, longest: number): string | null {
  return typeof value === 'string' && value.length <= longest && /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value)
    ? value
    : null
}

/** Where a person is sent: http only to a provider on this machine. */
function page(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 2048 || !URL.canParse(value)) return null
  const url = new URL(value)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname)) ? url.href : null
}

function seconds(value: unknown, usual: number, longest: number): number {
  const number = typeof value === 'number' || typeof value === 'string' ? Math.ceil(Number(value)) : Number.NaN
  return number > 0 ? Math.min(number, longest) : usual
}
