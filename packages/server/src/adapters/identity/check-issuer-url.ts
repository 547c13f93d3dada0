import { AuthconnError } from '../../core/errors.ts'
import { type CallPolicy, findUrlProblem, urlErrors } from '../oauth/check-url.ts'

/**
 * Throws invalid_request, provider_address_refused or provider_host_not_allowed for a URL by which the keys of an issuer
 * could not be fetched. It is kept as it was written: issuers are compared to the letter.
 */
export function createCheckIssuerUrl(policy: CallPolicy): (field: 'issuer' | 'jwks_uri', text: string) => void {
  return function checkIssuerUrl(field, text) {
    const invalid = (detail: string) =>
      new AuthconnError('invalid_request', `/body/${field} ${detail}`, {
        errors: [{ pointer: `/body/${field}`, detail }],
      })
    if (!URL.canParse(text)) throw invalid('is not a URL')
    const url = new URL(text)
    const problem = findUrlProblem(url, policy)
    if (problem) {
      const code = urlErrors[problem.kind]
      throw code ? new AuthconnError(code, `/body/${field} ${problem.reason}`) : invalid(problem.reason)
    }
    // OpenID Connect Core section 2
    if (field === 'issuer' && /[?#]/.test(text)) throw invalid('must not hold a query')
  }
}
