import { pipeline } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Context, Next } from '../http/context.ts'
import { findEndpoint } from '../http/endpoints.ts'
import { readForm } from '../http/read-form.ts'
import type { SigningKey } from '../provider/signing-key.ts'
import type { SandboxSettings } from '../settings.ts'
import type { StatsKeeper } from '../stats.ts'
import type { createFaultControl } from './fault-control.ts'
import type { Answer, Exchange, FaultKind } from './fault-kind.ts'
import { faultKinds } from './kinds.ts'

/**
 * Stands between the network and the provider's endpoints: counts each request, delays it when the settings say so,
 * and lets the fault there strike.
 */
export function createInterposer(deps: {
  issuer: string
  key: SigningKey
  settings: SandboxSettings
  stats: StatsKeeper
  faults: ReturnType<typeof createFaultControl>
}) {
  return async function interpose(ctx: Context, next: Next) {
    const endpoint = findEndpoint(ctx.path)
    if (!endpoint || ctx.method === 'OPTIONS') return next()

    const form = ctx.method === 'POST' ? await readForm(ctx) : undefined
    const grantType = form?.get('grant_type') ?? undefined
    // The paths below an endpoint's own continue a request that was counted.
    if (!ctx.path.startsWith('/authorize/')) deps.stats.count(endpoint, grantType, ctx.res)
    if (endpoint === 'token') await delay(deps.settings.tokenLatencyMs)

    const met = deps.faults.find(endpoint, grantType)
    if (!met) return next()
    const { issuer, key } = deps
    const { fault: options, released } = met
    const exchange: Exchange = { endpoint, issuer, key, options, released, ...createActions(ctx, next) }

    const kind: FaultKind = faultKinds[options.kind]
    if ('edit' in kind) {
      await exchange.process()
      const edited = kind.edit(readAnswer(ctx), exchange)
      if (edited && met.strike()) writeAnswer(ctx, edited)
      return
    }
    if (!met.strike()) return next()
    if (options.processed ?? kind.processed) await exchange.process()
    await kind.act(exchange)
  }
}

async function delay(milliseconds: number) {
  // It goes on when the client leaves, as a provider that has the request would; a process that ends does not wait.
  if (milliseconds > 0) await sleep(milliseconds, undefined, { ref: false })
}

type Actions = Pick<Exchange, 'gone' | 'process' | 'answer' | 'stream' | 'reset'>

function createActions(ctx: Context, next: Next): Actions {
  const gone = new AbortController()
  // It may have left while the request was delayed.
  if (ctx.res.destroyed) gone.abort()
  else ctx.res.once('close', () => gone.abort())
  let processing: Promise<void> | undefined

  return {
    gone: gone.signal,
    process() {
      // Clearing a fault lets go of all that it holds at once. In one turn of the event loop their steps would mix, and
      // one refresh token would rotate for each of them.
      processing ??= nextTurn().then(next)
      return processing
    },
    answer: ({ status = 200, headers = {}, body = '' }) => writeAnswer(ctx, { status, headers, body }),
    stream(headers, ...streams) {
      writeAnswer(ctx, { status: 200, headers, body: '' })
      ctx.res.removeHeader('content-length')
      ctx.respond = false
      // A client that has had enough is what this is for, so the error of that is none.
      pipeline([...streams, ctx.res], () => {})
    },
    reset() {
      ctx.respond = false
      ctx.req.socket.resetAndDestroy()
    },
  }
}

function readAnswer(ctx: Context): Answer {
  const { body } = ctx
  const headers = Object.entries(ctx.response.headers).map(([name, value]) => [name, String(value)])
  return {
    status: ctx.status,
    headers: Object.fromEntries(headers),
    body: typeof body === 'string' ? body : JSON.stringify(body ?? ''),
  }
}

function writeAnswer(ctx: Context, answer: Answer) {
  for (const name of ctx.res.getHeaderNames()) if (name !== 'set-cookie') ctx.res.removeHeader(name)
  ctx.status = answer.status
  // An empty string would gain a media type; no bytes do not.
  ctx.body = answer.body === '' ? Buffer.alloc(0) : answer.body
  ctx.res.removeHeader('content-type')
  ctx.res.removeHeader('content-length')
  for (const [name, value] of Object.entries(answer.headers)) {
    if (name !== 'content-length' && name !== 'set-cookie') ctx.set(name, value)
  }
}
