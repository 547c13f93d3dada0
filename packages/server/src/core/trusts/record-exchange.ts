import type { ErrorCode } from '@authconn/shared/errors'
import type { AuditLog } from '../audit/audit-log.ts'
import { AuthconnError } from '../errors.ts'
import type { Caller, Log } from '../ports.ts'
import { IdentityRefusal, KeysUnavailable, type Refusal, type Trust, type VerifiedToken } from '../trust-port.ts'
import { describeToken } from './describe-token.ts'

export interface Origin {
  address: string | null
  requestId: string
}

export interface IdentityMeter {
  exchanged(outcome: 'accepted' | 'unavailable' | 'failed' | Refusal): void
}

/** What is known of an exchange so far. */
export interface KnownOfExchange {
  workspaceId?: string
  trust?: Trust
  token?: VerifiedToken
  caller?: Caller
}

export interface RecordExchange {
  /** Throws audit_unavailable, overloaded; then no key leaves. */
  accepted(known: KnownOfExchange, from: Origin): Promise<void>
  /** Never throws: the error is on its way. */
  failed(known: KnownOfExchange, from: Origin, answer: unknown, error: unknown): Promise<void>
}

/** Puts exchanges on record: in the audit log, in the log where one was refused, and in the figures. */
export function createRecordExchange(deps: {
  audit: Pick<AuditLog, 'record'>
  meter: IdentityMeter
  log: Log
}): RecordExchange {
  const { meter, log } = deps

  return {
    async accepted(known, from) {
      await record(known, from, null)
      meter.exchanged('accepted')
    },
    async failed(known, from, answer, error) {
      const refusal = error instanceof IdentityRefusal ? error : undefined
      meter.exchanged(refusal?.why ?? (error instanceof KeysUnavailable ? 'unavailable' : 'failed'))
      if (refusal) {
        const { why, claim } = refusal
        log.info({ why, claim, trust: known.trust?.name, request_id: from.requestId }, 'a token was refused')
      }
      const reason = answer instanceof AuthconnError ? answer.code : 'internal_error'
      // What cannot be recorded cannot be recorded now either.
      if (reason === 'audit_unavailable') return
      await record(known, from, reason, refusal).catch((failure) => {
        log.error(
          { error: failure, request_id: from.requestId },
          'a refusal could not be recorded in the audit log',
        )
      })
    },
  }

  async function record(
    { trust, token, caller, workspaceId }: KnownOfExchange,
    { address, requestId }: Origin,
    reason: ErrorCode | null,
    refusal?: IdentityRefusal,
  ): Promise<void> {
    await deps.audit.record([
      {
        actor: reason === null ? (caller ?? null) : null,
        workspaceId: workspaceId ?? null,
        action: 'exchangeToken',
        connection: null,
        target: trust?.name ?? null,
        subject: null,
        outcome: reason === null ? 'allowed' : refusal ? 'denied' : 'failed',
        reason,
        address,
        requestId,
        detail: describeToken(trust, token, refusal),
      },
    ])
  }
}
