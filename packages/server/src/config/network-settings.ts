import { AuthconnError } from '../core/errors.ts'
import { Secret } from '../core/secret.ts'
import { type Environment, invalid, list, oneOf } from './read-setting.ts'

/** The HTTP proxy through which providers are reached. */
export interface ProxyConfig {
  /** http or https, with user name and password where the proxy asks for them. */
  readonly url: Secret
  /** What NO_PROXY lists. */
  readonly exceptions: readonly string[]
  /**
   * Who resolves the names of providers. `vault`: they are resolved and checked here, and the proxy is asked for the
   * address. `proxy`: it is asked for the name, and nobody here sees what address that is.
   */
  readonly names: 'vault' | 'proxy'
}

/** The hosts that alone are called, in lower case; undefined for any. Throws setting_invalid. */
export function providerHosts(env: Environment): readonly string[] | undefined {
  const name = 'AUTHCONN_PROVIDER_HOSTS'
  const hosts = list(env, name).map((text) => {
    const [, star = '', host = ''] = /^(\*\.)?(.+)$/.exec(text) ?? []
    // As URLs spell it, since that is what it is compared with; without a port, since there it is not looked at.
    const url = /[/?#@\s*\\]/.test(host) ? null : URL.parse(`https://${host}`)
    if (!url || url.port || /:\d*$/.test(host.replace(/^\[.*\]/, ''))) {
      throw invalid(name, `must hold host names and patterns such as *.example.com, without ports; not "${text}"`)
    }
    return star + url.hostname.replace(/\.$/, '')
  })
  return hosts.length > 0 ? hosts : undefined
}

/** Throws setting_invalid. */
export function readProxy(env: Environment): ProxyConfig | undefined {
  // Read with or without a proxy: a mistake in it should not wait for one.
  const names = oneOf(env, 'AUTHCONN_PROXY_NAMES', ['vault', 'proxy'] as const, 'vault')
  // Other programs take the lower case first where both are there.
  const text = env.https_proxy || env.HTTPS_PROXY
  if (!text) return undefined
  const url = URL.parse(text)
  const isDecodable = url && [url.username, url.password].every((part) => !/%(?![0-9a-f]{2})/i.test(part))
  if (!isDecodable || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
    // The value may hold a password, so the error must not repeat it.
    throw invalid(
      'HTTPS_PROXY',
      'must be the URL of a proxy of the form http://user:password@host:3128, with special characters of the password percent-encoded',
    )
  }
  const exceptions = (env.no_proxy || env.NO_PROXY || '').split(/[\s,]+/).filter(Boolean)
  return Object.freeze({ url: new Secret(text), exceptions: Object.freeze(exceptions), names })
}

/**
 * The variable that switches off the verification of certificates in all of Node.js. Calls to providers overrule it; other
 * connections, such as that to the database, would not, and nobody means it for a vault. Throws setting_invalid.
 */
export function requireTlsVerification(env: Environment): void {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return
  throw new AuthconnError(
    'setting_invalid',
    'NODE_TLS_REJECT_UNAUTHORIZED=0 would leave TLS unverified. Remove it; for certificates of a private authority, name a file with its certificate in NODE_EXTRA_CA_CERTS.',
  )
}
