import type { Config } from './config/load-config.ts'
import type { Logger } from './logger.ts'
import { migrateStorage, withStorage } from './open-storage.ts'

/** Runs the missing migrations and nothing else: not even a key is made. Resolves to their names. */
export async function migrateOnly(config: Config, log: Logger): Promise<string[]> {
  return withStorage(config, log, async (storage) => {
    const ran = await migrateStorage(storage, log)
    await storage.close()
    return ran
  })
}
