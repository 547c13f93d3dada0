import type { KeyObject } from 'node:crypto'
import type { AuditRow, Checkpoint } from '../audit-port.ts'
import { createHmacOf, type Hmac } from '../crypto/hmac.ts'

/** What the first record of a stream is chained to: the stream itself is part of every record. */
export const streamStart = Buffer.alloc(32)

/**
 * HMAC-SHA-256 over the MAC of the record before and all of this one. A JSON array, so that no two different records give
 * the same bytes; changing, removing or moving a record breaks the chain from there.
 */
export function macOfRow(key: KeyObject, before: Uint8Array, row: Omit<AuditRow, 'mac'>): Buffer {
  const parts = [
    'record',
    row.stream,
    row.number,
    row.at.getTime(),
    row.workspaceId,
    row.actor,
    row.actorName,
    row.action,
    row.connection,
    row.target,
    row.subject,
    row.outcome,
    row.reason,
    row.address,
    row.requestId,
  ]
  // Records from before there was a detail keep the MAC that they have.
  if (row.detail !== null) parts.push(row.detail)
  return hmacOf(key)(before, JSON.stringify(parts))
}

/** The same for checkpoints, which are chained among themselves. */
export function macOfCheckpoint(
  key: KeyObject,
  before: Uint8Array,
  { number, at, content }: Omit<Checkpoint, 'mac'>,
): Buffer {
  const { heads, pruned } = content
  const headsOf = (list: typeof heads) => list.map(({ stream, number: last, mac }) => [stream, last, mac])
  return hmacOf(key)(
    before,
    JSON.stringify([
      'checkpoint',
      number,
      at.getTime(),
      headsOf(heads),
      pruned ? [pruned.before, headsOf(pruned.heads)] : null,
    ]),
  )
}

const hmacs = new WeakMap<KeyObject, Hmac>()

/** Made once for each key, of which a vault has one. */
function hmacOf(key: KeyObject): Hmac {
  const known = hmacs.get(key)
  if (known) return known
  const made = createHmacOf(key)
  hmacs.set(key, made)
  return made
}
