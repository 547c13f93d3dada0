import type { Secret } from '../../core/secret.ts'

/** The HTTP proxy through which providers are reached. */
export interface HttpProxy {
  /** http or https, with user name and password where the proxy asks for them. */
  url: Secret
  /** What NO_PROXY lists. */
  exceptions: readonly string[]
  /**
   * Who resolves the names of providers. `vault`: they are resolved and checked here, and the proxy is asked for the
   * address. `proxy`: it is asked for the name, and nobody here sees what address that is.
   */
  names: 'vault' | 'proxy'
}

/** Whether the proxy is passed by for a host: `example.com` stands for the names below it too, and `*` for all. */
export function isException(exceptions: readonly string[], hostname: string, port: string): boolean {
  const name = hostname.toLowerCase().replace(/^\[|\]$|\.$/g, '')
  return exceptions.some((exception) => {
    const [, host = '', onlyPort] = /^(.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? []
    if (onlyPort !== undefined && onlyPort !== (port || '443') && !isIPv6(exception)) return false
    const expected = (isIPv6(exception) ? exception.toLowerCase() : host)
      .replace(/^\[|\]$/g, '')
      .replace(/^\*?\./, '')
    return exception === '*' || name === expected || name.endsWith(`.${expected}`)
  })
}

/** An address with several colons, which has no port without brackets. */
function isIPv6(exception: string): boolean {
  return !exception.startsWith('[') && (exception.match(/:/g)?.length ?? 0) > 1
}
