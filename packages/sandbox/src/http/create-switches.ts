import { describeFaults } from '../faults/describe-faults.ts'
import { type Fault, type FaultControl, type FaultLimits, InvalidFaultError } from '../faults/fault-control.ts'
import { faultKindNames } from '../faults/kinds.ts'
import type { ProviderSettings } from '../provider/create-provider.ts'
import { InvalidSettingError, setAccessTokenTtl } from '../provider/set-access-token-ttl.ts'
import type { SandboxStats } from '../stats.ts'
import type { Context, Next } from './context.ts'
import { type Endpoint, endpointNames } from './endpoints.ts'
import { readBody } from './read-form.ts'

/** The switches under /sandbox: JSON in, JSON out. They are open to everybody who reaches the sandbox. */
export function createSwitches(deps: { faults: FaultControl; stats: SandboxStats; settings: ProviderSettings }) {
  const { faults, stats, settings } = deps

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
    'GET /sandbox/stats': () => stats,
    'GET /sandbox/settings': () => ({ accessTokenTtl: settings.accessTokenTtl }),
    'POST /sandbox/settings': async (ctx) => {
      const { accessTokenTtl, ...unknown } = await readObject(ctx)
      const [first] = Object.keys(unknown)
      if (first !== undefined)
        throw new InvalidSettingError(`Unknown setting "${first}". Settings: accessTokenTtl`)
      setAccessTokenTtl(settings, accessTokenTtl)
      return { accessTokenTtl: settings.accessTokenTtl }
    },
    'GET /sandbox/elsewhere': () => {
      stats.redirectsFollowed += 1
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
      if (!(error instanceof InvalidFaultError || error instanceof InvalidSettingError)) throw error
      const kinds = error instanceof InvalidFaultError ? { kinds: faultKindNames } : {}
      send(ctx, 400, { error: 'invalid_request', message: error.message, ...kinds })
    }
  }
}

function send(ctx: Context, status: number, body: object) {
  ctx.status = status
  ctx.body = body
}

async function readObject(ctx: Context): Promise<Record<string, unknown>> {
  const value = parse(await readBody(ctx))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidSettingError('The body must be a JSON object.')
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
