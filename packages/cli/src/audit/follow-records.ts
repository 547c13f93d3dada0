import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthconnClient } from '@authconn/sdk'
import type { AuditRecord } from '@authconn/shared'
import type { Context } from '../context.ts'
import { isPassing } from '../is-passing.ts'
import type { AuditQuery } from './audit-query.ts'
import { fetchRecords } from './fetch-records.ts'

/** Milliseconds between two questions. */
const pause = 1000
/** Milliseconds: how much later than another one a record may come that is older, from a process that was slower. */
const lateness = 60_000
const inPage = 1000

/**
 * Gives the newest records, then those that come, oldest first and each once, until the command is stopped. While the
 * vault cannot be reached it goes on trying. The record of each question it asks is left out: it would never be quiet.
 */
export async function followRecords(
  ctx: Context,
  vault: AuthconnClient,
  query: AuditQuery,
  limit: number,
  print: (records: readonly AuditRecord[]) => void,
): Promise<void> {
  const { signal } = ctx
  const options = { signal, requestId: `audit-follow-${randomUUID()}` }
  const seen = createSeen()
  // One more, since this question is on record by now.
  const found = await fetchRecords(vault, query, limit + 1, options)
  const first = found.records.filter((record) => !isOwn(record)).slice(0, limit)
  // What is older than the first ones shown was not asked for.
  const oldest = found.more || first.length === limit ? first.at(-1)?.at : undefined
  show(first)
  for (let outOfReach = false; ; ) {
    try {
      await sleep(pause, undefined, { signal })
      show(await fetchNew())
      outOfReach = false
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
      if (!outOfReach) ctx.warn(`${error.detail} Trying again.`)
      outOfReach = true
      await sleep(1000 * (error.retryAfter ?? 0), undefined, { signal })
    }
  }

  /** Those that were not shown before; nothing is counted as shown until all pages are there. */
  async function fetchNew(): Promise<AuditRecord[]> {
    const since = latest(seen.horizon(), oldest, query.since)
    const fresh: AuditRecord[] = []
    let after: { after?: string } = {}
    for (;;) {
      const page = { ...query, ...(since === undefined ? {} : { since }), limit: inPage, ...after }
      const { records, next } = await vault.call('listAudit', { query: page }, options)
      const unseen = records.filter((record) => !seen.has(record))
      fresh.push(...unseen)
      // Newest first: behind a page of known ones there are only others like it.
      if (next === null || unseen.every(isOwn)) return fresh
      after = { after: next }
    }
  }

  function show(newestFirst: readonly AuditRecord[]): void {
    seen.add(newestFirst)
    print(newestFirst.filter((record) => !isOwn(record)).reverse())
  }

  function isOwn({ request_id: id }: AuditRecord): boolean {
    return id === options.requestId
  }
}

/** The records that have been shown, for as long as they may be among the answers. */
function createSeen() {
  const ids = new Map<string, number>()
  let newest = Number.NEGATIVE_INFINITY
  return {
    has: ({ id }: AuditRecord) => ids.has(id),
    add(records: readonly AuditRecord[]): void {
      for (const { id, at } of records) {
        const moment = Date.parse(at)
        ids.set(id, moment)
        newest = Math.max(newest, moment)
      }
    },
    /** From when on there may be new ones; undefined before the first. What is older is forgotten. */
    horizon(): string | undefined {
      if (!Number.isFinite(newest)) return undefined
      for (const [id, moment] of ids) if (moment < newest - lateness) ids.delete(id)
      return new Date(newest - lateness).toISOString()
    },
  }
}

function latest(...moments: (string | undefined)[]): string | undefined {
  const known = moments.filter((moment) => moment !== undefined)
  return known.sort((a, b) => Date.parse(a) - Date.parse(b)).at(-1)
}
