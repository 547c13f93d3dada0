import type { KeyStore, SealedStore, SealedValue, WrappedKey } from '../key-port.ts'
import { type KeyEncryptionKeys, unwrapDataKey } from './key-encryption-key.ts'
import type { Keyring } from './keyring.ts'
import { places } from './places.ts'
import { type DamagedValue, firstId, openValue } from './reseal-values.ts'
import { type DamagedKey, toDamagedKey } from './rotate-kek.ts'

export interface Verification {
  /** Keys and values that were looked at. */
  keys: number
  values: number
  damagedKeys: DamagedKey[]
  damagedValues: DamagedValue[]
}

const pageSize = 500
const keysAtOnce = 8

/** Unwraps every key and opens every sealed value, and says which do not. Changes nothing. */
export function createVerifyValues(deps: {
  keys: Pick<KeyStore, 'listWrapped'>
  values: Pick<SealedStore, 'list' | 'find'>
  keyring: Pick<Keyring, 'open'>
  keks: KeyEncryptionKeys
}): (tell: (values: number) => void) => Promise<Verification> {
  const { keys, values, keyring, keks } = deps

  return async function verifyValues(tell) {
    const found: Verification = { keys: 0, values: 0, damagedKeys: [], damagedValues: [] }
    await verifyKeys(found)
    for (const place of Object.values(places)) {
      let after = firstId
      for (;;) {
        const page = await values.list(place, { after, limit: pageSize })
        const last = page.at(-1)
        if (!last) break
        after = last.row
        for (const value of page) {
          const damage = await damageOf(place, value)
          if (damage) found.damagedValues.push(damage)
        }
        found.values += page.length
        tell(found.values)
      }
    }
    return found
  }

  async function verifyKeys(found: Verification): Promise<void> {
    let after: WrappedKey | undefined
    for (;;) {
      const page = await keys.listWrapped({ after, limit: keysAtOnce })
      after = page.at(-1)
      if (!after) return
      const damages = await Promise.all(page.map(damageOfKey))
      found.keys += page.length
      found.damagedKeys.push(...damages.filter((damage) => damage !== undefined))
    }
  }

  async function damageOfKey(key: WrappedKey): Promise<DamagedKey | undefined> {
    try {
      await unwrapDataKey(keks, key)
      return undefined
    } catch (error) {
      return toDamagedKey(keks, key, error)
    }
  }

  /** Read again before it is called damaged: it may have been sealed again, and its data key let go of, since. */
  async function damageOf(
    place: (typeof places)[keyof typeof places],
    value: SealedValue,
  ): Promise<DamagedValue | undefined> {
    const opened = await openValue(keyring, place, value)
    if ('secret' in opened) return undefined
    const now = await values.find(place, value.row)
    if (!now) return undefined
    if (Buffer.from(now.sealed).equals(value.sealed)) return opened
    return damageOf(place, now)
  }
}
