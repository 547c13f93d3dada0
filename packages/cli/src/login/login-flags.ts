import { AuthconnError } from '@authconn/sdk'
import { type FlagValues, kebab, negated, oneOf, optionalInteger, text, toggle } from '../flags.ts'

/** What only `login --oidc` takes. */
const oidcFlags = {
  workspace: text(
    'NAME',
    'with --oidc: the workspace, instead of AUTHCONN_WORKSPACE; the default one unless given',
  ),
  trust: text('NAME', 'with --oidc: the trust to log in by, where there are several'),
  port: optionalInteger(
    'PORT',
    'with --oidc: the port of the redirect URI; 8080 unless given, 0 for any that is free',
    {
      from: 0,
      to: 65_535,
    },
  ),
  redirectHost: oneOf(
    ['127.0.0.1', 'localhost', '::1'],
    'with --oidc: the host of the redirect URI; 127.0.0.1 unless given',
  ),
  browser: negated('with --oidc: do not open a browser; print the address to open'),
  timeout: optionalInteger('SECONDS', 'with --oidc: how long to wait; 300 unless given', { from: 1, to: 3600 }),
  clientSecretFile: text(
    'FILE',
    'with --oidc: the secret that some providers want of native clients too, as Google does',
  ),
}

export const loginFlags = {
  oidc: toggle("log in with your company's OpenID Connect provider, in the browser, instead of an API key"),
  store: oneOf(
    ['auto', 'keychain', 'file'],
    'where to keep the key; auto: in the keychain where there is one',
    'auto',
  ),
  ...oidcFlags,
}

/** Throws usage where something was said of a login in the browser, and none was asked for. */
export function refuseWithoutOidc(flags: FlagValues<typeof loginFlags>): void {
  const given = (Object.keys(oidcFlags) as (keyof typeof oidcFlags)[]).find((name) =>
    name === 'browser' ? !flags.browser : flags[name] !== undefined,
  )
  if (given === undefined) return
  const name = given === 'browser' ? 'no-browser' : kebab(given)
  throw new AuthconnError('usage', `--${name} goes with --oidc.`)
}
