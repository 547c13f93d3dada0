import { randomUUID } from 'node:crypto'
import { createApiKey, hashApiKey } from '../callers/api-key.ts'
import { createDataKey, type KeyEncryptionKeys } from '../crypto/key-encryption-key.ts'
import type { NewCallerRow } from '../ports.ts'
import type { Secret } from '../secret.ts'
import type { NewWorkspaceRow } from '../workspace-port.ts'

/** All that makes a workspace, not stored yet, and the key of its first caller, of which the row holds the hash alone. */
export async function newWorkspace(
  keks: KeyEncryptionKeys,
  name: string,
  firstCallerOf: (workspaceId: string) => NewCallerRow,
): Promise<{ row: NewWorkspaceRow; apiKey: Secret }> {
  const id = randomUUID()
  const apiKey = createApiKey()
  const row = {
    id,
    name,
    dataKey: await createDataKey(keks, id, 1),
    firstCaller: firstCallerOf(id),
    firstKeyHash: hashApiKey(apiKey),
  }
  return { row, apiKey }
}
