import { openAuditKey } from './adapters/postgres/audit-key.ts'
import { createAuditStore } from './adapters/postgres/audit-store.ts'
import { createAuditLog } from './core/audit/audit-log.ts'
import { createAuditCheckpoints } from './core/audit/checkpoint-audit.ts'
import type { AuditFacts } from './core/audit-port.ts'
import { AuthconnError } from './core/errors.ts'
import type { Logger } from './logger.ts'
import type { Storage } from './open-storage.ts'

/**
 * Puts on record what the server program itself is about to do, or what came of it, for somebody who holds database and
 * key-encryption key and needs no API key. Throws vault_not_started, audit_unavailable.
 */
export async function recordOutside(
  storage: Storage,
  log: Logger,
  action: string,
  target: string | null,
  came: Pick<AuditFacts, 'outcome' | 'reason'> = { outcome: 'allowed', reason: null },
): Promise<void> {
  if (!storage.keks) throw new AuthconnError('vault_not_started')
  const store = createAuditStore(storage.db)
  const key = await openAuditKey(storage.db, storage.keks)
  const clock = () => new Date()
  const audit = createAuditLog({ store, key, clock })
  await audit.record([
    {
      actor: null,
      action,
      connection: null,
      target,
      subject: null,
      ...came,
      address: null,
      requestId: 'authconn-server',
    },
  ])
  await createAuditCheckpoints({ store, audit, key, log, clock, months: 12 }).write()
}
