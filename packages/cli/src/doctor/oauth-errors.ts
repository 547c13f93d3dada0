/** What OAuth errors come down to nearly always, whatever each provider calls them. */
export const oauthErrors = {
  invalid_client: {
    means: 'The provider does not know the client, or not this secret of it',
    words:
      /invalid_client|unauthorized_client|client_rejected|bad_client_secret|incorrect_client_credentials|AADSTS(?:7000215|7000222|700016|7000218)\b/i,
    steps: (client: string) => [
      `Compare the client id with the provider's console, environment included: ${client}.`,
      'Give the current secret with `authconn update NAME --client-secret-file FILE`. Copy its value, not its id, and no line break with it.',
      'Where the provider wants the secret in the body: `authconn update NAME --client-auth client_secret_post`.',
    ],
  },
  redirect_uri_mismatch: {
    means: 'The redirect URI is not registered at the provider to the letter',
    words:
      /redirect[ _-]?ur[il]|redirect[ _-]?mismatch|bad_redirect_uri|code_rejected|AADSTS(?:50011|500112|900971)\b/i,
    steps: (_client: string, redirectUri: string) => [
      `Register exactly this, with its port, its path and no slash at its end: ${redirectUri}`,
      'Where the console refuses 127.0.0.1: `authconn authorize NAME --redirect-host localhost`, and register that.',
      'Some consoles keep a list for each kind of client: it must be that of a web application, and may take minutes to count.',
    ],
  },
  invalid_scope: {
    means: 'A scope does not exist there, or the client may not ask for it',
    words: /(?:invalid|insufficient|missing|bad)_?scope|AADSTS(?:65001|70011|650053|90094)\b/i,
    steps: () => [
      'Take the spelling from the provider: some want a URL for a scope. `authconn authorize NAME --scopes LIST` says which ones.',
      "Enable the API and add the scope to the client's consent screen; an administrator may have to consent.",
      'The default asks for openid, profile and email, which providers without OpenID Connect do not know.',
    ],
  },
  invalid_grant: {
    means: 'The code or the refresh token has expired, was used, or was revoked',
    words:
      /invalid_grant|grant_expired|grant_not_refreshable|bad_refresh_token|bad_verification_code|(?:token|code)_expired|AADSTS(?:70008|700082|700084|50173|54005)\b/i,
    steps: () => [
      'Someone must authorize again: `authconn authorize NAME`.',
      'If it comes back after days: an application in testing (Google: 7 days), a refresh token that dies of disuse, or a changed password.',
      'If there is no refresh token: ask for what gives one, such as the scope offline_access. A wrong clock makes codes expire at once, too.',
    ],
  },
} as const

export type OauthError = keyof typeof oauthErrors

export interface Explanation {
  error: OauthError
  means: string
  steps: string[]
}

/** What the words of a provider or of the vault mean; undefined when they are none of the usual errors. */
export function explainOauthError(
  words: string,
  known: { name: string; clientId: string; redirectUri: string },
): Explanation | undefined {
  const found = (Object.keys(oauthErrors) as OauthError[]).find((error) => oauthErrors[error].words.test(words))
  if (found === undefined) return undefined
  const { means, steps } = oauthErrors[found]
  const filled = steps(known.clientId, known.redirectUri).map((step) => step.replaceAll(/\bNAME\b/g, known.name))
  return { error: found, means, steps: filled }
}
