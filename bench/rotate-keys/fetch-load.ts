import { anyOf } from '../support/any-of.ts'
import { openKeepAliveConnection } from '../support/keep-alive-connection.ts'
import { type Percentiles, percentiles } from '../support/percentiles.ts'

export interface FetchLoadPlan {
  urls: string[]
  keys: string[]
  /** Connections to each vault, over which one request follows the other. */
  connections: number
  /** The path of any token. */
  path(): string
}

/** Milliseconds, by the name of what went on meanwhile. */
export interface FetchLoad {
  fetches: number
  /** Not 200, or without a token; the first of them. */
  failed: number
  example: string | undefined
  latency: Record<string, Percentiles>
}

/** Fetches tokens until it is ended. `during` names what goes on from then on. */
export async function startFetchLoad(plan: FetchLoadPlan) {
  const load: FetchLoad = { fetches: 0, failed: 0, example: undefined, latency: {} }
  const took = new Map<string, number[]>()
  let phase = 'before'
  let isOver = false

  const ask = async (url: URL) => {
    const connection = openKeepAliveConnection(url)
    await connection.opened
    while (!isOver) {
      const started = performance.now()
      const now = phase
      const path = plan.path()
      const head = `GET ${path} HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${anyOf(plan.keys)}\r\n\r\n`
      const { status, body, at } = await connection.exchange(Buffer.from(head, 'latin1'))
      load.fetches++
      if (status !== 200 || !/"access_token":"[\w-]+"/.test(body.toString())) {
        load.failed++
        load.example ??= `${path} was answered with ${status} ${body}`
      }
      const times = took.get(now) ?? []
      times.push(at - started)
      took.set(now, times)
    }
    connection.close('the load is over')
  }
  // A connection that breaks fails the bench: these vaults are not to end.
  const running = Promise.all(
    plan.urls.flatMap((url) => Array.from({ length: plan.connections }, () => ask(new URL(url)))),
  )
  running.catch(() => undefined)

  return {
    during(name: string) {
      phase = name
    },
    async end(): Promise<FetchLoad> {
      isOver = true
      await running
      load.latency = Object.fromEntries([...took].map(([name, times]) => [name, percentiles(times)]))
      return load
    },
  }
}
