import type { Context, Next } from '../http/context.ts'
import { findEndpoint } from '../http/endpoints.ts'
import { readForm } from '../http/read-form.ts'
import type { SandboxSettings } from '../settings.ts'
import type { SandboxStats } from '../stats.ts'
import { deviceCodeGrant } from './clients.ts'

/** Seconds that a device has to wait longer, each time that it did not wait (RFC 8628 section 3.5). */
const slower = 5

/** Tells devices how often they may ask for their outcome, and holds them to it; the library does neither. */
export function createDevicePacing({ settings, stats }: { settings: SandboxSettings; stats: SandboxStats }) {
  const paces = new Map<string, { interval: number; askedAt: number }>()

  return async function paceDevices(ctx: Context, next: Next) {
    const endpoint = findEndpoint(ctx.path)
    if (ctx.method !== 'POST' || (endpoint !== 'token' && endpoint !== 'device_authorization')) return next()
    const form = await readForm(ctx)
    if (endpoint === 'token' && form.get('grant_type') === deviceCodeGrant) {
      const pace = paces.get(form.get('device_code') ?? '')
      if (pace && isTooFast(pace)) {
        pace.interval += slower
        stats.devicePollsTooFast += 1
        ctx.status = 400
        ctx.body = { error: 'slow_down' }
        return
      }
    }
    await next()
    if (endpoint !== 'device_authorization' || ctx.status !== 200) return
    const codes = ctx.body as { device_code: string }
    paces.set(codes.device_code, { interval: settings.devicePollInterval, askedAt: performance.now() })
    ctx.body = { ...codes, interval: settings.devicePollInterval }
  }

  function isTooFast(pace: { interval: number; askedAt: number }): boolean {
    const waited = performance.now() - pace.askedAt
    pace.askedAt = performance.now()
    return waited < pace.interval * 1000
  }
}
