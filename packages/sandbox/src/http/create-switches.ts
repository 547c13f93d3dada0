import type { Families } from '../families.ts'
import { describeFaults } from '../faults/describe-faults.ts'
import { type Fault, type FaultControl, type FaultLimits, InvalidFaultError } from '../faults/fault-control.ts'
import { faultKindNames } from '../faults/kinds.ts'
import { InvalidMintError, type Mint } from '../provider/create-mint.ts'
import { changeSettings, InvalidSettingError, type SandboxSettings } from '../settings.ts'
import type { StatsKeeper } from '../stats.ts'
import type { Context, Next } from './context.ts'
import { type Endpoint, endpointNames } from './endpoints.ts'
import { mintMany } from './mint-many.ts'
import { readBody } from './read-form.ts'

/** The switches under /sandbox: JSON in, JSON out. They are open to everybody who reaches the sandbox. */
export function createSwitches(deps: {
  faults: FaultControl
  stats: StatsKeeper
  settings: SandboxSettings
  families: Families
  mint: Mint
}) {
  const { faults, stats, settings, families, mint } = deps

  const routes: Record<string, (ctx: Context) => unknown> = {
    'GET /sandbox/faults': () => ({ faults: faults.list(), kinds: describeFaults() }),
    'POST /sandbox/faults': async (ctx) => {
      const { endpoint, times, grantType, ...fault } = await readObject(ctx)
      // The values are what somebody sent; `set` checks them all.
      faults.set(endpoint as Endpoint, fault as object as Fault, { times, grantType } as FaultLimits)
      return { faults: faults.list() }
    },
    'DELETE /sandbox/faults': (ctx) => {
      const { endpoint } = ctx.query
      const name = endpointNames.find((known) => known === endpoint)
      if (endpoint !== undefined && !name) {
        throw new InvalidFaultError(`Unknown endpoint. Endpoints: ${endpointNames.join(', ')}`)
      }
      faults.clear(name)
      return { faults: faults.list() }
    },
    'GET /sandbox/stats': () => stats.stats,
    'POST /sandbox/stats/reset': () => {
      stats.reset()
      return stats.stats
    },
    'GET /sandbox/settings': () => settings,
    'POST /sandbox/settings': async (ctx) => {
      changeSettings(settings, await readObject(ctx))
      return settings
    },
    'POST /sandbox/tokens': async (ctx) => ({ tokens: await mintMany(mint, await readObject(ctx)) }),
    'GET /sandbox/families': ({ query: { family } }) => {
      if (family === undefined) return { families: families.list() }
      return { families: [family].flat().flatMap((id) => families.find(id) ?? []) }
    },
    'GET /sandbox/elsewhere': () => {
      stats.stats.redirectsFollowed += 1
      return { message: 'Whoever reads this has followed a redirect.' }
    },
  }

  return async function switches(ctx: Context, next: Next) {
    if (!ctx.path.startsWith('/sandbox/')) return next()
    ctx.set('cache-control', 'no-store')
    const route = routes[`${ctx.method} ${ctx.path}`]
    try {
      if (route) ctx.body = await route(ctx)
      else send(ctx, 404, { error: 'not_found', message: 'No such switch.', switches: Object.keys(routes) })
    } catch (error) {
      if (!isRefusal(error)) throw error
      const kinds = error instanceof InvalidFaultError ? { kinds: faultKindNames } : {}
      send(ctx, 400, { error: 'invalid_request', message: error.message, ...kinds })
    }
  }
}

/** The body of a request is no JSON object. */
class InvalidBodyError extends Error {}

function isRefusal(error: unknown): error is Error {
  const refusals = [InvalidBodyError, InvalidFaultError, InvalidSettingError, InvalidMintError]
  return refusals.some((refusal) => error instanceof refusal)
}

function send(ctx: Context, status: number, body: object) {
  ctx.status = status
  ctx.body = body
}

async function readObject(ctx: Context): Promise<Record<string, unknown>> {
  const value = parse(await readBody(ctx))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidBodyError('The body must be a JSON object.')
  }
  return { ...value }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
