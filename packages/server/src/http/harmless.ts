/**
 * What a request called something, fit to be repeated in an answer, or an ellipsis. People put keys and tokens where
 * names belong, and answers end up in the logs of clients: anything but words is not repeated.
 */
export function harmlessName(name: string): string {
  return /^[A-Za-z_-]{1,40}$/.test(name) ? name : '…'
}

/** The same for the path of a URL, part by part. */
export function harmlessPath(url: string): string {
  const [path = ''] = url.split('?', 1)
  return path.replaceAll(/[^/]+/g, (part) => (/^v\d$/.test(part) ? part : harmlessName(part)))
}
