import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Readable } from 'node:stream'

/** Milliseconds in which nothing comes or goes; answers that are written by a model may pause for minutes. */
const patience = 10 * 60_000
const atOnce = 128

export interface UpstreamRequest {
  method: string
  /** As the program wrote it, below the path of the upstream. */
  path: string
  headers: string[]
  body: Readable | Buffer
  signal: AbortSignal
}

/** Sends requests to the one upstream, by no other proxy and to no other host. */
export function createUpstream(upstream: URL) {
  const secure = upstream.protocol === 'https:'
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: atOnce })
  const target = {
    hostname: upstream.hostname.replace(/^\[|\]$/g, ''),
    port: upstream.port || (secure ? 443 : 80),
    agent,
    setHost: false,
    timeout: patience,
  }
  const prefix = upstream.pathname.replace(/\/$/, '')

  return {
    /** Resolves once the answer begins. */
    ask({ method, path, headers, body, signal }: UpstreamRequest): Promise<IncomingMessage> {
      return new Promise((resolve, reject) => {
        const options = { ...target, method, path: prefix + path, headers, signal }
        const outgoing = secure ? requestHttps(options) : requestHttp(options)
        // After the answer has begun, its own stream tells of what goes wrong.
        outgoing.on('error', reject)
        outgoing.on('response', resolve)
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')))
        if (Buffer.isBuffer(body)) outgoing.end(body)
        else body.pipe(outgoing)
      })
    },
    close: () => agent.destroy(),
  }
}
