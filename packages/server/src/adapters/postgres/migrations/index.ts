import type { Migration } from 'kysely/migration'
import * as mainJob from './0001-main-job.ts'
import * as refreshEngine from './0002-refresh-engine.ts'
import * as callersAndAudit from './0003-callers-and-audit.ts'
import * as keyRotation from './0004-key-rotation.ts'
import * as clientKeys from './0005-client-keys.ts'
import * as accounts from './0006-accounts.ts'
import * as trusts from './0007-trusts.ts'
import * as otherGrants from './0008-other-grants.ts'
import * as tokenLookup from './0009-token-lookup.ts'

/** Append only: a migration that was released is never changed. */
export const migrations: Record<string, Migration> = {
  '0001-main-job': mainJob,
  '0002-refresh-engine': refreshEngine,
  '0003-callers-and-audit': callersAndAudit,
  '0004-key-rotation': keyRotation,
  '0005-client-keys': clientKeys,
  '0006-accounts': accounts,
  '0007-trusts': trusts,
  '0008-other-grants': otherGrants,
  '0009-token-lookup': tokenLookup,
}
