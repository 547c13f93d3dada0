import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { endpointNames } from '../../http/endpoints.ts'
import type { Exchange, InsteadKind } from '../fault-kind.ts'

/** Faults of the connection rather than of what is said over it. */
export const connectionKinds = {
  slow: {
    about: 'Waits delayMs (1000 by default), then answers as ever, also when the client has gone',
    endpoints: endpointNames,
    options: ['delayMs'],
    async act({ options, released, process }) {
      await sleep(options.delayMs ?? 1000, undefined, { signal: released }).catch(() => {})
      await process()
    },
  },
  hang: {
    about:
      'Takes the request and says nothing until the fault is cleared, then answers as ever if the client still waits',
    endpoints: endpointNames,
    options: [],
    async act({ released, gone, process }) {
      await aborted(AbortSignal.any([released, gone]))
      if (!gone.aborted) await process()
    },
  },
  reset: {
    about: 'Breaks the connection before anything is done',
    endpoints: endpointNames,
    options: [],
    act: ({ reset }) => reset(),
  },
  reset_after: {
    about: 'Does what was asked, such as using up a refresh token, and breaks the connection without an answer',
    endpoints: endpointNames,
    options: [],
    processed: true,
    act: ({ reset }) => reset(),
  },
  huge: {
    about: 'Sends JSON that does not end, or that ends after about the given bytes',
    endpoints: endpointNames,
    options: ['bytes'],
    act: (exchange) => exchange.stream(jsonHeaders, longJson(exchange, exchange.options.bytes ?? Infinity)),
  },
  bomb: {
    about: 'Sends little gzip that becomes much JSON: the given bytes, 200 MB by default',
    endpoints: endpointNames,
    options: ['bytes'],
    act: (exchange) =>
      exchange.stream(
        { ...jsonHeaders, 'content-encoding': 'gzip' },
        longJson(exchange, exchange.options.bytes ?? 200_000_000),
        createGzip(),
      ),
  },
} as const satisfies Record<string, InsteadKind>

const jsonHeaders = { 'content-type': 'application/json' }

function longJson({ released }: Exchange, bytes: number): Readable {
  const block = 'a'.repeat(64 * 1024)
  return Readable.from(
    (function* () {
      yield '{"access_token":"'
      for (let sent = 0; sent < bytes && !released.aborted; sent += block.length) yield block
      yield '"}'
    })(),
  )
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
