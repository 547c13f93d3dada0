import type { Provider } from '@authconn/shared'
import { endpointLines } from './endpoint-lines.ts'
import { type DetailLine, details } from './table.ts'
import type { View } from './view.ts'

/** Everything that the catalog declares of a provider. */
export function describeProvider(provider: Provider, view: View): string {
  const { endpoints, scopes, refresh_token: refreshToken, registration } = provider
  return details(
    [
      ['register at', registration.url],
      ['redirect URI', registration.redirect_uri],
      ['note', registration.note],
      ['name', provider.id],
      ['provider url', provider.provider_url],
      ['also known by', words(provider.other_urls)],
      ...(provider.variables ?? []).map(
        ({ name, description, example, default: usual }): DetailLine => [
          `--${name}`,
          `${description}; such as ${example}${usual === undefined ? '' : `, by default ${usual}`}`,
        ],
      ),
      ['issuer', provider.issuer_url],
      ['issuer in ID tokens', words(provider.issuer_aliases)],
      ['tenant ids', pairs(provider.tenant_ids)],
      ...endpointLines(endpoints),
      ['client authentication', provider.token_endpoint_auth_method],
      ['PKCE', provider.pkce],
      ['further grants', words(provider.grant_types)],
      ['nonce in ID tokens', provider.drops_nonce ? 'no' : undefined],
      ['usual scopes', scopes.default.join(' ') || 'none'],
      ['scope for refreshing', scopes.offline],
      ['scope parameter', scopes.parameter],
      ['scopes separated by', separators(scopes)],
      ['authorization parameters', pairs(provider.authorization_parameters)],
      ['token parameters', pairs(provider.token_parameters)],
      ['refresh parameters', pairs(provider.refresh_parameters)],
      ['redirect URI in refreshes', provider.refresh_redirect_uri ? 'yes' : undefined],
      ['service accounts', provider.jwt_bearer && pairs(provider.jwt_bearer)],
      ['body format', provider.body_format],
      ...answerLines(provider.token_answer),
      ['access tokens live', lifetime(provider.token_lifetime)],
      ['refresh token rotates', refreshToken.rotation === 'none' ? 'there is none' : refreshToken.rotation],
      [
        'refresh token ends',
        refreshToken.idle === undefined ? undefined : `after ${refreshToken.idle / 86_400} days without use`,
      ],
      ['on refreshing', refreshToken.note],
      ['errors', pairs(provider.errors)],
      ['revocation', provider.revocation && pairs(provider.revocation)],
      ['kept of the callback', pairs(provider.callback_metadata)],
      ['kept of the answer', pairs(provider.token_metadata)],
      ['account from', provider.account && (provider.account.url ?? provider.account.source)],
      ['documentation', `${provider.documentation} (read ${provider.read})`],
      ['not verified there', words(provider.unverified)],
    ],
    view,
  )
}

function answerLines(answer: Provider['token_answer'] = {}): DetailLine[] {
  const { expiry } = answer
  return [
    ['tokens at', answer.token_path],
    ['token types', words(answer.token_types)],
    ['expiry', expiry && `${expiry.field} (date)`],
    ['error code at', answer.error_path],
    ['error words at', answer.error_description_path],
  ]
}

function separators({ separator, answer_separator: other }: Provider['scopes']): string | undefined {
  const name = (sign: string) => (sign === ',' ? 'commas' : 'spaces')
  if (other !== undefined && other !== separator) return `${name(separator)}, in answers ${name(other)}`
  return separator === ' ' ? undefined : name(separator)
}

function lifetime(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined
  return seconds === 0 ? 'without end' : `${seconds / 3600} h, where answers do not say`
}

function words(list: readonly string[] | undefined): string | undefined {
  return list?.join(', ')
}

function pairs(record: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return (
    record &&
    Object.entries(record)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(' ')
  )
}
