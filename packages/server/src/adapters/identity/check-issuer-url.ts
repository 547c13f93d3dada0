import { AuthconnError, invalidPart } from '../../core/errors.ts'
import { type CallPolicy, findUrlProblem, isThisMachine, type UrlProblem, urlErrors } from '../oauth/check-url.ts'

/**
 * Throws invalid_request, provider_address_refused or provider_host_not_allowed for a URL by which the keys of an issuer
 * could not be fetched. Where the keys come from elsewhere an issuer is a name that nobody calls, such as one inside of a
 * cluster, and only its form counts. It is kept as it was written: issuers are compared to the letter.
 */
export function createCheckIssuerUrl(
  policy: CallPolicy,
): (field: 'issuer' | 'jwks_uri', text: string, options: { isCalled: boolean }) => void {
  return function checkIssuerUrl(field, text, { isCalled }) {
    const invalid = (detail: string) => invalidPart(`/body/${field}`, detail)
    if (!URL.canParse(text)) throw invalid('is not a URL')
    const url = new URL(text)
    const problem = isCalled ? findUrlProblem(url, policy) : findFormProblem(url)
    if (problem) {
      const code = urlErrors[problem.kind]
      throw code ? new AuthconnError(code, `/body/${field} ${problem.reason}`) : invalid(problem.reason)
    }
    // OpenID Connect Core section 2
    if (field === 'issuer' && /[?#]/.test(text)) throw invalid('must not hold a query')
  }
}

function findFormProblem(url: URL): UrlProblem | undefined {
  const problem = findUrlProblem(url, { allowLoopback: true })
  if (problem?.kind === 'form') return problem
  // What is at an address that is not called is not judged by its protocol above.
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname))) return undefined
  return { kind: 'form', reason: 'must be https' }
}
