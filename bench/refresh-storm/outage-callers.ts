import { createCallerStore } from '../../packages/server/src/adapters/postgres/caller-store.ts'
import { hashApiKey } from '../../packages/server/src/core/callers/api-key.ts'
import { AuthconnError } from '../../packages/server/src/core/errors.ts'
import type { Caller } from '../../packages/server/src/core/ports.ts'
import { Secret } from '../../packages/server/src/core/secret.ts'
import { anyOf } from '../support/any-of.ts'
import type { Replica } from './replica.ts'
import type { SimulatedTime } from './simulated-time.ts'
import type { SeededGrant, VaultDatabase } from './vault-database.ts'

/** Some who ask for the token of any grant at any replica, each every other second. */
export async function startCallers(
  count: number,
  replicas: Replica[],
  grants: SeededGrant[],
  time: SimulatedTime,
  { db, apiKey, connection }: VaultDatabase,
  over: AbortSignal,
): Promise<Record<string, number>> {
  const found = await createCallerStore(db).findLive(hashApiKey(new Secret(apiKey)), null)
  if (!found) throw new Error('there is no administrator')
  const { caller } = found
  const answers: Record<string, number> = {}
  const call = async () => {
    while (!over.aborted) {
      const [replica, grant] = [anyOf(replicas), anyOf(grants)]
      const answer = await ask(replica, caller, connection.name, grant.subject, time)
      if (!over.aborted) answers[answer] = (answers[answer] ?? 0) + 1
      await time.sleep(1000 + Math.random() * 2000)
    }
  }
  await Promise.all(Array.from({ length: count }, call))
  return answers
}

const valid = 'a valid token'
/** The second is for those who do not wait for the attempt that is under way. */
const retryable = ['provider_unavailable with Retry-After', 'refresh_in_progress with Retry-After']

/** Whether a caller can go on with it: now, or when it says so. */
export function isHelpful(answer: string): boolean {
  return answer === valid || retryable.includes(answer)
}

async function ask(
  replica: Replica,
  caller: Caller,
  name: string,
  subject: string,
  time: SimulatedTime,
): Promise<string> {
  const asked = time.date()
  try {
    const { expiresAt } = await replica.issueToken(caller, name, { subject })
    return expiresAt && expiresAt > asked ? valid : 'a token that had ended'
  } catch (error) {
    if (!(error instanceof AuthconnError)) return String(error)
    return error.retryAfter === undefined ? error.code : `${error.code} with Retry-After`
  }
}
