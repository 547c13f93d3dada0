import { randomUUID } from 'node:crypto'
import { AuthconnError } from '../errors.ts'
import type { SealedStore, SealedValue } from '../key-port.ts'
import type { DataKey } from '../ports.ts'
import type { Secret } from '../secret.ts'
import type { Place } from './envelope.ts'
import type { Keyring } from './keyring.ts'
import { places } from './places.ts'

export interface Resealing {
  resealed: number
  /** Left with a former data key, as somebody keeps their rows locked or goes on to seal with that. */
  left: number
  damaged: DamagedValue[]
}

/** A sealed value that does not open. */
export interface DamagedValue {
  table: string
  column: string
  row: string
  workspaceId: string
  reason: string
}

type PlaceOf = (typeof places)[keyof typeof places]

const pageSize = 500

/** Rounds in which nothing is done, a second each; and rounds after which there should be nothing left to do. */
const mostIdleRounds = 30
const mostLateRounds = 10

/**
 * Seals what is sealed with a former data key again, with the newest. A value that somebody writes meanwhile is left as they
 * wrote it. May be ended anywhere, begun again, and run in several places at once, each of which begins elsewhere. Damaged
 * values are left as they are, and reported. `settleSeconds`: how long after a rotation other processes may still write
 * values that are sealed with a former key; it looks again after that.
 */
export function createResealValues(deps: {
  values: Pick<SealedStore, 'listFormerKeys' | 'listSealedWith' | 'replace'>
  keyring: Keyring
  settleSeconds: number
  sleep(ms: number): Promise<unknown>
}): (tell: (resealed: number) => void) => Promise<Resealing> {
  const { values, keyring } = deps

  return async function resealValues(tell) {
    const damaged = new Map<string, DamagedValue>()
    let resealed = 0
    let settlesAt = 0
    let [idle, late] = [0, 0]
    for (;;) {
      const before = resealed
      const left = await resealOnce()
      const settling = settlesAt - performance.now()
      const isOver = idle > mostIdleRounds || late > mostLateRounds || (left === 0 && settling <= 0)
      if (isOver) return { resealed, left, damaged: [...damaged.values()] }
      if (left === 0) await deps.sleep(settling)
      else if (resealed === before) {
        idle++
        await deps.sleep(1000)
      } else if (settling <= 0) late++
    }

    /** Resolves to how many it found, but for those that are damaged. */
    async function resealOnce(): Promise<number> {
      let found = 0
      for (const place of Object.values(places)) {
        for (const { dataKey, formerFor } of await values.listFormerKeys(place)) {
          settlesAt = Math.max(settlesAt, performance.now() + 1000 * (deps.settleSeconds - formerFor))
          found += await resealAll(place, dataKey)
        }
      }
      return found
    }

    async function resealAll(place: PlaceOf, { id, workspaceId }: DataKey): Promise<number> {
      // Whoever has made the newer key may have done so a moment ago.
      keyring.distrust(workspaceId)
      const start = randomUUID()
      return (await resealBetween(start, undefined)) + (await resealBetween(firstId, start))

      async function resealBetween(from: string, upTo: string | undefined): Promise<number> {
        let found = 0
        let after = from
        for (;;) {
          const page = await values.listSealedWith(place, id, { after, upTo, limit: pageSize })
          const last = page.at(-1)
          if (!last) return found
          after = last.row
          const todo = page.filter(({ row }) => !damaged.has(nameOf(place, row)))
          const changes = await sealAgain(place, todo)
          found += changes.length
          resealed += await values.replace(place, changes)
          tell(resealed)
        }
      }
    }

    async function sealAgain(place: PlaceOf, page: SealedValue[]) {
      const changes = []
      for (const value of page) {
        const opened = await openValue(keyring, place, value)
        if ('reason' in opened) damaged.set(nameOf(place, value.row), opened)
        else changes.push({ row: value.row, from: value.sealed, to: await keyring.seal(opened.at, opened.secret) })
      }
      return changes
    }
  }
}

/** Sorts before every other. */
export const firstId = '00000000-0000-0000-0000-000000000000'

/** That the value is no more what it was, or that its data key is not. */
const damages: ReadonlySet<string> = new Set(['sealed_value_damaged', 'key_encryption_key_wrong'])

/** The secret with its place, or what is wrong with it. Throws what says nothing against the value itself. */
export async function openValue(
  keyring: Pick<Keyring, 'open'>,
  place: PlaceOf,
  value: SealedValue,
): Promise<{ at: Place; secret: Secret } | DamagedValue> {
  const at = place({ id: value.row, workspaceId: value.workspaceId })
  try {
    return { at, secret: await keyring.open(at, value.sealed) }
  } catch (error) {
    if (!(error instanceof AuthconnError && damages.has(error.code))) throw error
    const { table, column } = place
    return { table, column, row: value.row, workspaceId: value.workspaceId, reason: error.message }
  }
}

function nameOf({ table, column }: PlaceOf, row: string): string {
  return `${table}.${column} ${row}`
}
