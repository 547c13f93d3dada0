import { join } from 'node:path'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import { fillVault } from '../support/filled-vault.ts'
import { say } from '../support/say.ts'
import type { RunningVault } from '../support/vaults.ts'
import type { Room } from '../support/with-room.ts'

export interface Size {
  grants: number
  auditRows: number
  connections: number
  subjects: number
  crowd: number
}

export interface SizedVault {
  size: Size
  keys: string[]
  vaults: RunningVault[]
}

const subjects = 10

/**
 * So many grants: a fifth of them of one connection, and the others ten to a connection. What a planner knows is the
 * average, so this is where a statement that it may carry out in another way does badly.
 */
export function sizeOf(grants: number, auditRows: number): Size {
  const crowd = grants / 5
  return { grants, auditRows, connections: 1 + (grants - crowd) / subjects, subjects, crowd }
}

/** A database for each size, with so many processes on it. */
export async function startSizedVaults(
  serverUrl: string,
  sizes: Size[],
  count: number,
  { directory, atEnd }: Room,
): Promise<SizedVault[]> {
  const sized: SizedVault[] = []
  for (const size of sizes) {
    say(`filling a vault with ${size.grants} grants and ${size.auditRows} audit records`)
    const database = temporaryDatabase(serverUrl)
    await database.create()
    const filled = await fillVault(join(directory, String(size.grants)), database.url, { callers: 64, ...size })
    const vaults = await filled.start(count)
    atEnd(() => Promise.all(vaults.map((vault) => vault.stop())))
    sized.push({ size, keys: filled.keys, vaults })
  }
  return sized
}
