interface Cookie {
  name: string
  value: string
  host: string
  path: string
}

/** Cookies as a browser keeps them, as far as a provider's sign-in needs it (RFC 6265): by host and path. */
export function createCookieJar() {
  let cookies: Cookie[] = []

  return {
    store(url: URL, headers: Headers) {
      for (const line of headers.getSetCookie()) {
        const cookie = parseCookie(line, url)
        cookies = cookies.filter((kept) => kept.name !== cookie.name || kept.path !== cookie.path)
        if (!isExpired(line)) cookies.push(cookie)
      }
    },
    headerFor(url: URL): string {
      return cookies
        .filter(({ host, path }) => host === url.hostname && isBelow(url.pathname, path))
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ')
    },
  }
}

function parseCookie(line: string, url: URL): Cookie {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const separator = pair.indexOf('=')
  const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice('path='.length)
  return {
    name: pair.slice(0, separator),
    value: pair.slice(separator + 1),
    host: url.hostname,
    path: path ?? '/',
  }
}

function isExpired(line: string): boolean {
  const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1]
  return expires !== undefined && Date.parse(expires) <= Date.now()
}

function isBelow(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}
