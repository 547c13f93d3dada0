import { AuthconnError } from '@authconn/sdk'
import type { StartedAuthorization } from '@authconn/shared'

/** The address to open, and the state to expect back. Throws vault_answer_invalid: a browser is not handed just anything. */
export function readAuthorizationUrl(begun: Pick<StartedAuthorization, 'authorization_url' | 'state'>): {
  url: string
  state: string
} {
  const { authorization_url: given, state } = begun
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new AuthconnError(
      'vault_answer_invalid',
      'The vault gave an authorization URL that is not http or https.',
    )
  }
  // A request that was pushed to the provider has its state there, and not in the URL.
  const named = url.searchParams.getAll('state')
  if (state === '' || named.some((one) => one !== state)) {
    throw new AuthconnError('vault_answer_invalid', 'The vault gave an authorization URL without its state.')
  }
  return { url: url.href, state }
}
