import { type IncomingHttpHeaders, request } from 'node:http'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** One request without a browser's or fetch's own ideas about Host, paths and headers. */
export function httpGet(
  origin: string,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]> } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: hostname.replace(/^\[|\]$/g, ''), port, path, agent: false, setHost: false, ...options },
      async (response) => {
        let body = ''
        for await (const chunk of response) body += String(chunk)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      },
    )
    if (options.headers?.Host === undefined) sent.setHeader('Host', new URL(origin).host)
    sent.once('error', reject)
    sent.end()
  })
}
