import { join } from 'node:path'
import { startPostgres } from '../../packages/server/test/support/postgres.ts'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import { fillVault } from '../support/filled-vault.ts'
import { countRows, makeLogSegments, postmasterOf } from '../support/on-postgres.ts'
import { keepTo, splitCores } from '../support/own-core.ts'
import { familyOf } from '../support/processors.ts'
import { say } from '../support/say.ts'
import type { Room } from '../support/with-room.ts'
import { startFixedAnswer } from './fixed-answer.ts'
import { makeHandWritten } from './hand-written.ts'

export type SubjectName = 'bare' | 'handWritten' | 'handWrittenPrepared' | 'vault' | 'vaultOnPglite'

export interface Subject {
  name: SubjectName
  url: string
  pid: number
  /** API keys it knows. */
  keys: string[]
}

export interface Subjects {
  all: Subject[]
  postmaster: number
  /** Whether each has a core of its own, which neither PostgreSQL nor wrk uses. */
  ownCore: boolean
  /** How many audit records the vault on PostgreSQL has. */
  countRecords(): Promise<number>
}

const filling = { callers: 64, connections: 100, subjects: 0, auditRows: 0 }

export const grantsAsked = { connections: filling.connections, subjects: filling.subjects }

/**
 * Starts all that are compared, on one PostgreSQL that keeps what it says it has kept. The bundle must be made.
 * `together`: on whichever core the system puts them.
 */
export async function startSubjects({ directory, atEnd }: Room, together: boolean): Promise<Subjects> {
  const postgres = await startPostgres({ durable: true })
  atEnd(postgres.stop)
  await makeLogSegments(postgres.url)
  const ofVault = temporaryDatabase(postgres.url)
  const ofHandWritten = temporaryDatabase(postgres.url)
  for (const database of [ofVault, ofHandWritten]) await database.create()

  say('filling a vault on PostgreSQL and one on PGlite')
  async function startVault(name: SubjectName, url: string | undefined): Promise<Subject> {
    const filled = await fillVault(join(directory, name), url, filling)
    const [vault] = await filled.start(1)
    if (!vault) throw new Error('no vault was started')
    atEnd(vault.stop)
    return { name, url: vault.url, pid: vault.pid, keys: filled.keys }
  }
  const vault = await startVault('vault', ofVault.url)
  const vaultOnPglite = await startVault('vaultOnPglite', undefined)

  const { keys } = vault
  const bare = await startFixedAnswer(join(directory, 'answer.json'), vault.url, keys[0] ?? '')
  atEnd(bare.stop)
  const byHand = await makeHandWritten(ofHandWritten.url, keys, filling.connections)
  const handWritten = await byHand.start(false)
  atEnd(handWritten.stop)
  const handWrittenPrepared = await byHand.start(true)
  atEnd(handWrittenPrepared.stop)
  const all: Subject[] = [
    { name: 'bare', url: bare.url, pid: bare.pid, keys },
    { name: 'handWritten', url: handWritten.url, pid: handWritten.pid, keys },
    { name: 'handWrittenPrepared', url: handWrittenPrepared.url, pid: handWrittenPrepared.pid, keys },
    vault,
    vaultOnPglite,
  ]
  const postmaster = await postmasterOf(postgres.url)
  return {
    all,
    postmaster,
    ownCore: !together && (await giveOwnCore(all, postmaster)),
    countRecords: () => countRows(ofVault.url, 'audit_log'),
  }
}

/** One is measured at a time, so they may have the same one. Not where there is one core alone. */
async function giveOwnCore(subjects: Subject[], postmaster: number): Promise<boolean> {
  const cores = await splitCores()
  if (!cores) return false
  for (const { pid } of subjects) await keepTo(cores.own, pid)
  for (const pid of await familyOf(postmaster)) await keepTo(cores.others, pid)
  // wrk is started by this process.
  await keepTo(cores.others, process.pid)
  return true
}
