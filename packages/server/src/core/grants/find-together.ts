import type { ConnectionStore, ConnectionWithGrant } from '../ports.ts'
import { gather } from './gather.ts'

interface Question {
  workspaceId: string
  name: string
  subject: string
}

/**
 * ConnectionStore.find for many who ask for the same: those who ask while others are being answered share one read that
 * begins after they asked. A thousand callers of one grant are a handful of reads.
 */
export function findTogether(connections: Pick<ConnectionStore, 'find'>): Pick<ConnectionStore, 'find'> {
  const ask = gather<Question, ConnectionWithGrant | undefined>(findAll, limits)
  return { find: (workspaceId, name, subject = '') => ask({ workspaceId, name, subject }) }

  async function findAll(questions: readonly Question[]) {
    const found = new Map<string, Promise<ConnectionWithGrant | undefined>>()
    for (const { workspaceId, name, subject } of questions) {
      const key = keyOf({ workspaceId, name, subject })
      if (!found.has(key)) found.set(key, connections.find(workspaceId, name, subject))
    }
    await Promise.all(found.values())
    return Promise.all(questions.map((question) => found.get(keyOf(question))))
  }
}

/** No more of them at a time than there are database connections to spare. */
const limits = { lanes: 4, most: 1_000, queue: 10_000, isOfOne: () => false }

function keyOf({ workspaceId, name, subject }: Question): string {
  return JSON.stringify([workspaceId, name, subject])
}
