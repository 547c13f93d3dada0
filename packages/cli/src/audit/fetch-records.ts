import type { AuthconnClient, CallOptions } from '@authconn/sdk'
import type { AuditRecord } from '@authconn/shared'
import type { AuditQuery } from './audit-query.ts'

const mostInPage = 1000

/** The newest records that there are, newest first, and whether there are more. */
export async function fetchRecords(
  vault: AuthconnClient,
  query: AuditQuery,
  limit: number,
  options: CallOptions,
): Promise<{ records: AuditRecord[]; more: boolean }> {
  const records: AuditRecord[] = []
  let after: { after?: string } = {}
  for (;;) {
    const page = { limit: Math.min(limit - records.length, mostInPage), ...after }
    const { records: found, next } = await vault.call('listAudit', { query: { ...query, ...page } }, options)
    records.push(...found)
    if (next === null || records.length >= limit || found.length === 0) return { records, more: next !== null }
    after = { after: next }
  }
}
