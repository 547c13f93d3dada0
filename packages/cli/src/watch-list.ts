import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@authconn/sdk'
import type { Context } from './context.ts'
import { isPassing } from './is-passing.ts'
import { listConnections } from './list-connections.ts'
import { connectionTable } from './output/connection-table.ts'
import { toJsonLine } from './output/to-json.ts'
import { viewFor } from './output/view.ts'

/** To the upper left corner, and nothing below it. */
const clear = '\u001b[H\u001b[2J'

/**
 * Shows the connections until the command is stopped: in a terminal always the latest, elsewhere each change. While the
 * vault cannot be reached it goes on trying.
 */
export async function watchList(ctx: Context, seconds: number): Promise<void> {
  const { signal, stdout, json } = ctx
  const live = !json && stdout.isTTY === true
  let shown: string | undefined
  for (let outOfReach = false; ; ) {
    try {
      const connections = await listConnections(ctx)
      outOfReach = false
      const state = JSON.stringify(connections.map(lasting))
      if (live) stdout.write(`${clear}${connectionTable(connections, viewFor(ctx))}\n`)
      else if (state !== shown) stdout.write(words(ctx, connections, shown === undefined))
      shown = state
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
      if (!outOfReach) ctx.warn(`${error.detail} Trying again.`)
      outOfReach = true
      await sleep(1000 * (error.retryAfter ?? 0), undefined, { signal })
    }
    await sleep(1000 * seconds, undefined, { signal })
  }
}

/** Whether anything is new does not depend on the clock. */
function lasting({ name, provider, status, expires_at, refreshable, last_error }: Connection) {
  return [name, provider, status, expires_at, refreshable, last_error]
}

function words(ctx: Context, connections: Connection[], first: boolean): string {
  if (ctx.json) return `${toJsonLine({ connections })}\n`
  return `${first ? '' : '\n'}${connectionTable(connections, viewFor(ctx))}\n`
}
