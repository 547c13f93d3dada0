import { AuthconnError } from '@authconn/sdk'

/** The address to open, and the state to expect back. Throws vault_answer_invalid: a browser is not handed just anything. */
export function readAuthorizationUrl(given: string): { url: string; state: string } {
  const url = URL.canParse(given) ? new URL(given) : undefined
  const states = url?.searchParams.getAll('state') ?? []
  const [state] = states
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new AuthconnError(
      'vault_answer_invalid',
      'The vault gave an authorization URL that is not http or https.',
    )
  }
  if (states.length !== 1 || !state) {
    throw new AuthconnError('vault_answer_invalid', 'The vault gave an authorization URL without a state.')
  }
  return { url: url.href, state }
}
