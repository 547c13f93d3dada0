import { type Selectable, sql } from 'kysely'
import type { Trust, TrustStore } from '../../core/trust-port.ts'
import type { Database, Tables } from './database.ts'
import { secondsFromNow } from './grant-sql.ts'
import { issueKey } from './issue-key.ts'
import { isUnended } from './trust-sql.ts'
import { findWorkspace } from './workspace-store.ts'

export function createTrustStore(db: Database): TrustStore {
  return {
    async insert({ jwks, claims, login, ...trust }) {
      const row = await db
        .insertInto('trusts')
        .values({
          id: trust.id,
          workspace_id: trust.workspaceId,
          name: trust.name,
          preset: trust.preset,
          issuer: trust.issuer,
          audience: trust.audience,
          jwks_uri: trust.jwksUri,
          jwks: jwks && JSON.stringify(jwks),
          algorithms: trust.algorithms,
          claims: JSON.stringify(claims),
          max_age: trust.maxAge,
          single_use: trust.singleUse,
          permissions: trust.permissions,
          connections: trust.connections,
          subjects: trust.subjects,
          addresses: trust.addresses,
          key_lifetime: trust.keyLifetime,
          login: login && JSON.stringify(login),
          expires_at: trust.expiresAt,
        })
        .onConflict((conflict) =>
          conflict.columns(['workspace_id', 'name']).where('revoked_at', 'is', null).doNothing(),
        )
        .returningAll()
        .executeTakeFirst()
      return row && toTrust(row)
    },

    async find(workspaceId, name) {
      const row = await live(db)
        .where('workspace_id', '=', workspaceId)
        .where('name', '=', name)
        .executeTakeFirst()
      return row && toTrust(row)
    },

    async list(workspaceId, page) {
      const rows = await live(db)
        .where('workspace_id', '=', workspaceId)
        .where('name', '>', page.after ?? '')
        .orderBy('name')
        .limit(page.limit)
        .execute()
      return rows.map(toTrust)
    },

    async revoke(workspaceId, name) {
      return db.transaction().execute(async (trx) => {
        // First, and under the lock that an exchange takes as well: whatever it makes is there by then, or never will be.
        const row = await trx
          .updateTable('trusts')
          .set({ revoked_at: now })
          .where('workspace_id', '=', workspaceId)
          .where('name', '=', name)
          .where('revoked_at', 'is', null)
          .returningAll()
          .executeTakeFirst()
        if (!row) return undefined
        await trx
          .updateTable('callers')
          .set({ revoked_at: now })
          .where('trust_id', '=', row.id)
          .where('revoked_at', 'is', null)
          // Those that have ended are for the job that removes them, in an order of its own.
          .where('expires_at', '>', now)
          .execute()
        return toTrust(row)
      })
    },

    async findForIssuer(workspace, issuer, { name, most }) {
      const found = await findWorkspace(db, workspace)
      const rows = await unended(db)
        // Asked even for a workspace that is not there, so that it takes the same time.
        .where('workspace_id', '=', found?.id ?? nowhere)
        .where(sql`md5(issuer)`, '=', sql`md5(${issuer})`)
        .where('issuer', '=', issuer)
        .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
        .orderBy('created_at')
        .orderBy('id')
        .limit(most)
        .execute()
      return found && { workspaceId: found.id, trusts: rows.map(toTrust) }
    },

    async listLogins(workspace) {
      const rows = await unended(db)
        .where('workspace_id', '=', (eb) => eb.selectFrom('workspaces').select('id').where('name', '=', workspace))
        .where('login', 'is not', null)
        .orderBy('name')
        .execute()
      return rows.map(toTrust)
    },

    issue: (issue) => db.transaction().execute((trx) => issueKey(trx, issue)),

    async touch(id) {
      await db
        .updateTable('trusts')
        .set({ last_used_at: now })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<', secondsFromNow(-3600))]))
        .execute()
    },

    async purgeUses() {
      const { numDeletedRows } = await db
        .deleteFrom('used_identities')
        .where('ends_at', '<=', now)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },

    async purgeCallers() {
      const { numDeletedRows } = await db
        .deleteFrom('callers')
        .where('trust_id', 'is not', null)
        .where((eb) =>
          eb.or([eb('expires_at', '<', secondsFromNow(-86_400)), eb('revoked_at', '<', secondsFromNow(-86_400))]),
        )
        // What it began is kept for a while of its own.
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('authorizations').select('id').whereRef('caller_id', '=', 'callers.id'))),
        )
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const now = sql<Date>`now()`

/** The id of no workspace (RFC 9562 section 5.9). */
const nowhere = '00000000-0000-0000-0000-000000000000'

function live(db: Database) {
  return db.selectFrom('trusts').selectAll().where('revoked_at', 'is', null)
}

function unended(db: Database) {
  return live(db).where(isUnended)
}

function toTrust(row: Selectable<Tables['trusts']>): Trust {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    preset: row.preset,
    issuer: row.issuer,
    audience: row.audience,
    jwksUri: row.jwks_uri,
    jwks: row.jwks,
    algorithms: row.algorithms,
    claims: row.claims,
    maxAge: row.max_age,
    singleUse: row.single_use,
    permissions: row.permissions,
    connections: row.connections,
    subjects: row.subjects,
    addresses: row.addresses,
    keyLifetime: row.key_lifetime,
    // One that was made before people logged in to a URL has none, and no nonce fits it.
    login: row.login && { ...row.login, vault_url: row.login.vault_url ?? '' },
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  }
}
