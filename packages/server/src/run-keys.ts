import { setTimeout as sleep } from 'node:timers/promises'
import { createDataKeyStore } from './adapters/postgres/data-key-store.ts'
import type { Database } from './adapters/postgres/database.ts'
import { isDatabaseUnavailable } from './adapters/postgres/database-errors.ts'
import { createKeyStore } from './adapters/postgres/key-store.ts'
import type { OpenDatabase } from './adapters/postgres/open-database.ts'
import { createSealedStore } from './adapters/postgres/sealed-store.ts'
import type { Config } from './config/load-config.ts'
import { createDropFormerKeys } from './core/crypto/drop-former-keys.ts'
import type { KeyEncryptionKeys } from './core/crypto/key-encryption-key.ts'
import { readKeyStatus } from './core/crypto/key-status.ts'
import { createKeyring } from './core/crypto/keyring.ts'
import { createResealValues, type DamagedValue } from './core/crypto/reseal-values.ts'
import { createRotateDataKeys } from './core/crypto/rotate-data-keys.ts'
import { createRotateKek, type DamagedKey } from './core/crypto/rotate-kek.ts'
import { sealingLimits } from './core/crypto/sealing-keys.ts'
import { createVerifyValues } from './core/crypto/verify-values.ts'
import { AuthconnError } from './core/errors.ts'
import { patiently } from './core/patiently.ts'
import * as render from './keys/render.ts'
import { commandOutput, createLogger, type Logger } from './logger.ts'
import { requireSchema, type Storage, withStorage } from './open-storage.ts'
import { recordOutside } from './record-outside.ts'

/** What a command has found or done, for programs and in words; not well: there is damage, or something is left to do. */
export interface KeysResult {
  data: unknown
  text: string
  isWell: boolean
}

type Tell = (count: number) => void

type Options = Readonly<Record<string, string | undefined>>

interface Tools extends Omit<OpenDatabase, 'close'>, ReturnType<typeof createStores> {
  keks: KeyEncryptionKeys
  log: Logger
  options: Options
  record(facts: {
    target: string | null
    damage?: 'sealed_value_damaged' | 'key_encryption_key_wrong'
  }): Promise<void>
}

export type RunKeys = typeof commands

/** Seconds after which a process looks for a newer data key, and some for what it has sealed until then to be written. */
const settleSeconds = sealingLimits.trustMs / 1000 + 5

/** Damages that are put on record one by one. */
const mostRecorded = 100

/** Runs one of `authconn-server keys …`. Throws vault_not_started, schema_out_of_date, and what withStorage throws. */
export async function runKeys(name: keyof RunKeys, config: Config, options: Options): Promise<KeysResult> {
  // Standard output is for the result.
  const log = createLogger(config.logLevel, commandOutput(2))
  return withStorage(config, log, async (storage) => {
    const { keks } = storage
    if (!keks) throw new AuthconnError('vault_not_started')
    await requireSchema(storage)
    const record = recorder(storage, log, `keys ${name}`)
    const tools = { ...storage, ...createStores(storage.db, log), keks, log, options, record }
    const result = await commands[name](tools)
    await storage.close()
    return result
  })
}

const commands = {
  async status({ withoutTimeLimit, keks }: Tools): Promise<KeysResult> {
    return withoutTimeLimit(async (db) => {
      const status = await readKeyStatus({ keys: createKeyStore(db), values: createSealedStore(db), keks })
      return { ...render.status(status), isWell: true }
    })
  },

  async 'rotate-kek'({ keys, keks, record }: Tools): Promise<KeysResult> {
    await record({ target: keks.current.id })
    const rotation = await createRotateKek({ keys, keks })(progress('keys rewrapped'))
    await recordDamagedKeys(record, rotation.damaged)
    return { ...render.kekRotation(rotation), isWell: rotation.damaged.length === 0 }
  },

  async 'rotate-data-keys'({ keys, keks, options, record }: Tools): Promise<KeysResult> {
    const { workspace } = options
    const olderThan = seconds(options.olderThan)
    await record({ target: workspace ?? null })
    const rotate = createRotateDataKeys({ keys, keks })
    const rotation = await rotate({ workspace, olderThan }, progress('data keys made'))
    return { ...render.dataKeyRotation(rotation, olderThan), isWell: true }
  },

  async reseal({ keys, values, dataKeys, kind, keks, log, record }: Tools): Promise<KeysResult> {
    await record({ target: null })
    const reseal = createResealValues({
      values,
      keyring: createKeyring({ dataKeys, keks, log }),
      // Nobody else writes to an embedded database meanwhile.
      settleSeconds: kind === 'pglite' ? 0 : settleSeconds,
      sleep,
    })
    const resealing = await reseal(progress('values resealed'))
    await recordDamagedValues(record, resealing.damaged)
    const former = await createDropFormerKeys({ keys, log })()
    const isWell = resealing.left === 0 && resealing.damaged.length === 0
    return { ...render.resealing(resealing, former), isWell }
  },

  async verify({ keys, values, dataKeys, keks, log, record }: Tools): Promise<KeysResult> {
    await record({ target: null })
    const keyring = createKeyring({ dataKeys, keks, log })
    const verify = createVerifyValues({ keys, values, keyring, keks })
    const found = await verify(progress('values opened'))
    await recordDamagedKeys(record, found.damagedKeys)
    await recordDamagedValues(record, found.damagedValues)
    return { ...render.verification(found), isWell: found.damagedKeys.length + found.damagedValues.length === 0 }
  },
}

/** A failover in the middle must not end a run of minutes. */
function createStores(db: Database, log: Logger) {
  const deps = {
    isPassing: isDatabaseUnavailable,
    sleep,
    log: (error: unknown) => log.warn({ error }, 'the database did not do it; trying again'),
  }
  return {
    keys: patiently(createKeyStore(db), deps),
    values: patiently(createSealedStore(db), deps),
    dataKeys: patiently(createDataKeyStore(db), deps),
  }
}

function seconds(text = ''): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new AuthconnError('setting_invalid', `--older-than must be a whole number of seconds, not "${text}"`)
}

function recorder(storage: Storage, log: Logger, action: string): Tools['record'] {
  return ({ target, damage }) =>
    recordOutside(storage, log, action, target, damage && { outcome: 'failed', reason: damage })
}

async function recordDamagedKeys(record: Tools['record'], damaged: readonly DamagedKey[]): Promise<void> {
  for (const { kind, id } of damaged.slice(0, mostRecorded)) {
    await record({ target: `${kind}_keys/${id}`, damage: 'key_encryption_key_wrong' })
  }
}

async function recordDamagedValues(record: Tools['record'], damaged: readonly DamagedValue[]): Promise<void> {
  for (const { table, column, row } of damaged.slice(0, mostRecorded)) {
    await record({ target: `${table}.${column}/${row}`, damage: 'sealed_value_damaged' })
  }
}

/** Tells a person who waits, every few seconds. */
function progress(what: string): Tell {
  let toldAt = performance.now()
  return (count) => {
    if (performance.now() - toldAt < 5000) return
    toldAt = performance.now()
    process.stderr.write(`${count} ${what}\n`)
  }
}
