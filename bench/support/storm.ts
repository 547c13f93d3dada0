import { type KeepAliveConnection, openKeepAliveConnection } from './keep-alive-connection.ts'

export interface StormPlan {
  /** Where the requests go, in turn: numeric loopback addresses alone, as nobody else asked for a storm. */
  baseUrls: string[]
  /** One request goes over each. */
  connections: number
  /** What each connection asks for when it is opened; must answer 200. */
  warmUpPath?: string
  /** For opening, and again for each storm. */
  deadlineMs?: number
}

export interface Storm {
  /**
   * Sends one GET over each connection, all before it returns its promise. That never rejects: what became of each
   * request stands in `answers`, of which the n-th is from base URL n modulo their number.
   */
  send<Body = unknown>(request: StormRequest): Promise<{ answers: StormAnswer<Body>[]; sentMs: number }>
  close(): void
}

export interface StormRequest {
  path: string | ((n: number) => string)
  apiKey?: string
}

export interface StormAnswer<Body = unknown> {
  /** 0 when no answer came, and `failure` says why. */
  status: number
  /** From the moment the first request was sent until this answer was complete. `sentMs`: until the last was sent. */
  ms: number
  /** Seconds, from its Retry-After. */
  retryAfter?: number
  /** Parsed if it is JSON; undefined when no answer came. */
  body: Body
  failure?: string
}

/** As many as fit into a server's backlog, where one too many would be tried again after a second. */
const openedAtOnce = 100

/** Opens and warms connections, over which `send` sends its requests. Rejects unless each can be opened. */
export async function openStorm(plan: StormPlan): Promise<Storm> {
  const { warmUpPath = '/healthz', deadlineMs = 30_000 } = plan
  const bases = plan.baseUrls.map(loopbackUrl)
  const lines: { base: URL; connection: KeepAliveConnection }[] = []
  const close = (why: string) => {
    for (const { connection } of lines) connection.close(why)
  }

  async function openOne(base: URL): Promise<void> {
    const connection = openKeepAliveConnection(base)
    lines.push({ base, connection })
    await connection.opened
    const { status } = await connection.exchange(requestBytes(base, warmUpPath))
    if (status !== 200) throw new Error(`${base.origin}${warmUpPath} was answered with ${status}`)
  }

  const tooLate = () => close(`no answer in ${deadlineMs} ms`)
  const timer = setTimeout(tooLate, deadlineMs)
  try {
    for (let first = 0; first < plan.connections; first += openedAtOnce) {
      const count = Math.min(openedAtOnce, plan.connections - first)
      await Promise.all(Array.from({ length: count }, (_, n) => openOne(inTurn(bases, first + n))))
    }
  } catch (error) {
    close('another connection could not be opened')
    throw error
  } finally {
    clearTimeout(timer)
  }

  return {
    async send<Body>({ path, apiKey }: StormRequest) {
      const requests = lines.map(({ base, connection }, n) => ({
        connection,
        bytes: requestBytes(base, typeof path === 'string' ? path : path(n), apiKey),
      }))
      const start = performance.now()
      const exchanges = requests.map(({ connection, bytes }) => connection.exchange(bytes))
      const sentMs = performance.now() - start
      const late = setTimeout(tooLate, deadlineMs)
      const settled = await Promise.all(
        exchanges.map((exchange) => exchange.catch((error: Error) => ({ error, at: performance.now() }))),
      )
      clearTimeout(late)
      // Parsed only now, when nobody waits for the processor any more.
      const answers = settled.map((each): StormAnswer<Body> => {
        const ms = each.at - start
        if ('error' in each) return { status: 0, ms, body: undefined as Body, failure: each.error.message }
        const retryAfter = /\r\nretry-after: *(\d+)\r\n/i.exec(each.head)?.[1]
        return {
          status: each.status,
          ms,
          body: parse(each.body) as Body,
          ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }),
        }
      })
      return { answers, sentMs }
    },
    close: () => close('the storm is over'),
  }
}

function loopbackUrl(text: string): URL {
  const url = new URL(text)
  if (url.protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) return url
  throw new Error(`a storm is for http on a loopback address, not for ${url.origin}`)
}

function inTurn(bases: URL[], n: number): URL {
  const base = bases[n % bases.length]
  if (!base) throw new Error('a storm needs a URL to go to')
  return base
}

function requestBytes(base: URL, path: string, apiKey?: string): Buffer {
  const { pathname, search } = new URL(path, base)
  const authorization = apiKey === undefined ? '' : `authorization: Bearer ${apiKey}\r\n`
  return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${base.host}\r\n${authorization}\r\n`, 'latin1')
}

function parse(body: Buffer): unknown {
  const text = body.toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
