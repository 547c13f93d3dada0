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
