import { sql } from 'kysely'
import type { IssueOfKey, TrustStore } from '../../core/trust-port.ts'
import { toCaller } from './caller-store.ts'
import type { Database } from './database.ts'
import { secondsFromNow } from './grant-sql.ts'
import { isUnended } from './trust-sql.ts'

/**
 * Makes a caller by a trust, with its key, and notes the use of the token: all of it or nothing, in the transaction that it is
 * given.
 */
export async function issueKey(trx: Database, issue: IssueOfKey): ReturnType<TrustStore['issue']> {
  // Shared by exchanges, and waited for by whoever revokes the trust.
  const trust = await trx
    .selectFrom('trusts')
    .selectAll()
    .where('id', '=', issue.trustId)
    .where('revoked_at', 'is', null)
    .where(isUnended)
    .forShare()
    .executeTakeFirst()
  if (!trust) return 'over'
  const used = await trx
    .insertInto('used_identities')
    .values({ token_hash: issue.tokenHash, uses: 1, ends_at: secondsFromNow(issue.rememberFor) })
    .onConflict((conflict) =>
      conflict
        .column('token_hash')
        .doUpdateSet({ uses: sql`used_identities.uses + 1` })
        .where('used_identities.uses', '<', issue.mostUses),
    )
    .returning('uses')
    .executeTakeFirst()
  if (!used) return 'replayed'
  const row = await trx
    .insertInto('callers')
    .values({
      id: issue.callerId,
      workspace_id: trust.workspace_id,
      name: issue.callerName,
      permissions: trust.permissions,
      connections: trust.connections,
      subjects: trust.subjects,
      addresses: trust.addresses,
      // Whichever comes first; a trust without an end has none to compare.
      expires_at: sql<Date>`least(now() + make_interval(secs => ${issue.lifetime}), ${trust.expires_at}::timestamptz)`,
      trust_id: trust.id,
      identity: issue.identity,
    })
    .returningAll()
    .returning(sql<number>`floor(date_part('epoch', expires_at - now()))::integer`.as('expires_in'))
    .executeTakeFirstOrThrow()
  await trx.insertInto('caller_keys').values({ key_hash: issue.keyHash, caller_id: row.id }).execute()
  return { caller: toCaller(row), expiresIn: row.expires_in }
}
