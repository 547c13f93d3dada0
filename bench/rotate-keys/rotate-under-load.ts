import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../packages/server/src/adapters/postgres/open-database.ts'
import { createKeks, createLocalKek } from '../../packages/server/src/core/crypto/key-encryption-key.ts'
import { runSql } from '../../packages/server/test/support/run-sql.ts'
import { temporaryDatabase } from '../../packages/server/test/support/temporary-database.ts'
import { type Aim, exactly } from '../support/aims.ts'
import { fillVault, silent } from '../support/filled-vault.ts'
import { say } from '../support/say.ts'
import { startVaults } from '../support/vaults.ts'
import type { Room } from '../support/with-room.ts'
import { startWriter } from './concurrent-writer.ts'
import { startFetchLoad } from './fetch-load.ts'
import { createKeysCommand } from './keys-command.ts'
import {
  addWorkspaces,
  countFormer,
  countKeysOf,
  countWithoutNewKey,
  type PickedGrant,
  pathOf,
  pickGrants,
} from './vault-content.ts'

export interface RotationPlan {
  grants: number
  /** Each with a data key of its own, and nothing in it but for the first: so that there are keys to rotate. */
  workspaces: number
  vaults: number
  /** Over which tokens are fetched from each vault, without a pause. */
  connections: number
  /** Before the rotation and after it, in which the load goes on alone. */
  quietSeconds: number
}

export type Rotation = Awaited<ReturnType<typeof rotateUnderLoad>>

const subjects = 10
const sampled = 200
const written = 50

/**
 * Rotates the key-encryption key and all data keys and seals everything again, while tokens are fetched from several vaults
 * and written as by refreshes. Each step is killed by SIGKILL in the middle and run again, the last one twice at once. In
 * the end the vaults are started with the new key alone.
 */
export async function rotateUnderLoad(serverUrl: string, plan: RotationPlan, { directory, atEnd }: Room) {
  say(`filling a vault with ${plan.grants} grants in ${plan.workspaces} workspaces`)
  const database = temporaryDatabase(serverUrl)
  await database.create()
  const connections = plan.grants / subjects
  const filling = { callers: 8, connections, subjects, auditRows: 0 }
  const filled = await fillVault(join(directory, 'filling'), database.url, filling)
  const [before, next] = [filled.kek, randomBytes(32)]
  const keks = createKeks(createLocalKek(next), [createLocalKek(before)])
  const { db, close } = await openDatabase({ url: database.url, poolSize: 4 }, silent)
  atEnd(close)
  await addWorkspaces(db, createLocalKek(before), plan.workspaces - 1)

  const text = (keys: Buffer[]) => keys.map((key) => key.toString('base64')).join(' ')
  // As a rolling deployment leaves them: they know both keys, and what is there is wrapped with the former.
  const start = (name: string, kek: string) =>
    startVaults({ count: plan.vaults, databaseUrl: database.url, kek, directory: join(directory, name) })
  const vaults = await start('vaults', text([next, before]))
  const stopVaults = () => Promise.all(vaults.map((vault) => vault.stop()))
  atEnd(stopVaults)
  const keys = createKeysCommand({
    DATABASE_URL: database.url,
    AUTHCONN_KEK: text([next, before]),
    AUTHCONN_DATA_DIR: join(directory, 'commands'),
    AUTHCONN_LOG_LEVEL: 'warn',
  })

  const grants = await pickGrants(db, sampled + written)
  const [samples, toWrite] = [grants.slice(written), grants.slice(0, written)]
  const fetchAll = async (url: string, some: PickedGrant[]) => {
    const tokens = new Map<string, string>()
    for (const grant of some) {
      const headers = { authorization: `Bearer ${filled.keys[0]}` }
      const answer = (await (await fetch(url + pathOf(grant), { headers })).json()) as { access_token: string }
      tokens.set(grant.id, answer.access_token)
    }
    return tokens
  }
  const first = vaults[0]?.url ?? ''
  const tokensBefore = await fetchAll(first, samples)

  const load = await startFetchLoad({
    urls: vaults.map(({ url }) => url),
    keys: filled.keys,
    connections: plan.connections,
    path: () =>
      `/v1/connections/connection-${1 + Math.floor(Math.random() * connections)}/token?subject=user-${1 + Math.floor(Math.random() * subjects)}`,
  })
  const writer = startWriter(db, keks, toWrite)
  await sleep(1000 * plan.quietSeconds)

  const killed: Record<string, { before: number; after: number }> = {}
  const took: Record<string, number> = {}
  const step = async (name: string, args: string[], left: () => Promise<number>) => {
    say(`${name}, killed in the middle`)
    load.during(name)
    killed[name] = await keys.killInTheMiddle([name, ...args], left)
    say(`${name}, to its end`)
    // Two at once, as from two machines.
    const [one, other] = await Promise.all([keys.run(name, ...args), keys.run(name, ...args)])
    took[name] = Math.max(one.ms, other.ms)
    for (const { log } of [one, other]) if (/"level"/.test(log)) say(log)
  }
  await step('rotate-kek', [], () => countKeysOf(db, keks.current.id))
  await step('rotate-data-keys', [], () => countWithoutNewKey(db))
  await step('reseal', [], () => countFormer(db))
  say('verify')
  load.during('verify')
  const verified = await keys.run('verify')
  took.verify = verified.ms
  const { result: status } = await keys.run('status')
  load.during('after')
  await sleep(1000 * plan.quietSeconds)
  const writes = await writer.end()
  const fetched = await load.end()
  await stopVaults()

  say('starting with the new key alone')
  const alone = await start('alone', text([next]))
  atEnd(() => Promise.all(alone.map((vault) => vault.stop())))
  const url = alone[0]?.url ?? ''
  const changed = differing(tokensBefore, await fetchAll(url, samples))
  const writtenTokens = new Map(
    toWrite.flatMap(({ id, token }) => (token === undefined ? [] : [[id, token] as const])),
  )
  const lost = differing(writtenTokens, await fetchAll(url, toWrite))
  const [versions] = await runSql<{ most: number; keys: number }>(
    db,
    'select max(version) as most, count(*)::integer as keys from data_keys',
  )

  const middle = Object.values(killed).filter(({ before: all, after }) => after > 0 && after <= 0.7 * all).length
  const aims: Aim[] = [
    exactly('fetches that failed', '', 0, fetched.failed),
    exactly('runs that were killed in the middle', '', 3, middle),
    exactly('keys that are left to be rewrapped', '', 0, status.to_rewrap),
    exactly('values that are left to be resealed', '', 0, status.to_reseal),
    exactly(
      'damaged keys and values',
      '',
      0,
      verified.result.damaged_keys.length + verified.result.damaged_values.length,
    ),
    exactly('data keys of a workspace, of three runs of the rotation', '', 2, versions?.most ?? 0),
    exactly('tokens that came out different', '', 0, changed),
    exactly('written tokens that were lost', '', 0, lost),
  ]
  return { plan, killed, took, values: verified.result.values, keys: versions?.keys ?? 0, writes, fetched, aims }
}

function differing(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): number {
  return [...expected].filter(([id, token]) => found.get(id) !== token).length
}
