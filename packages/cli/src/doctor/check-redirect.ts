import { createServer } from 'node:http'
import { AuthconnError } from '@authconn/sdk'
import { bindLoopback, type RedirectHost } from '../authorize/bind-loopback.ts'
import { redirectUriOf } from '../authorize/listen-for-callback.ts'
import { cannotCatch, ownPage } from '../authorize/registered-redirect.ts'
import { adviceFor, obstacleToBrowser, surroundings } from '../authorize/surroundings.ts'
import type { Context } from '../context.ts'
import type { Check } from './check.ts'

/** Whether authorize could listen where the browser comes back to, and whether a browser can be had. */
export async function checkRedirect(
  { env }: Pick<Context, 'env'>,
  { host, port }: { host: RedirectHost; port: number },
): Promise<Check[]> {
  const redirectUri = redirectUriOf(host, port)
  const where = surroundings(env)
  const obstacle = obstacleToBrowser(where)
  const advice = adviceFor(where, redirectUri)
  return [
    await checkPort(host, port, redirectUri),
    obstacle === undefined
      ? { name: 'browser', status: 'ok', detail: 'one can be opened from here' }
      : {
          name: 'browser',
          status: 'warning',
          detail: `none is opened, since ${obstacle}`,
          hint: advice ?? 'authorize prints the address to open, and takes the one that the browser ended on.',
        },
  ]
}

/** Instead of both, where the provider takes no redirect URI that authorize could listen on. */
export const elsewhere: Check = {
  name: 'redirect URI',
  status: 'skipped',
  detail: `the provider takes https ones only: ${cannotCatch}`,
  hint: ownPage,
}

async function checkPort(host: RedirectHost, port: number, redirectUri: string): Promise<Check> {
  const name = 'redirect URI'
  try {
    const { servers } = await bindLoopback(createServer, host, port)
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    return {
      name,
      status: 'ok',
      detail: `${redirectUri} is free; it must be registered at the provider exactly so`,
    }
  } catch (error) {
    if (!(error instanceof AuthconnError)) throw error
    return { name, status: 'failed', detail: error.detail, hint: error.hint }
  }
}
