import { findProgram } from './find-program.ts'
import { type KeptServer, startKeptServer } from './start-kept-server.ts'

/** undefined on a machine without. */
export const findRedis = () => findProgram('redis-server')

/** Starts a Redis with a password on a free port of this machine; the URL holds it. */
export async function startRedis(): Promise<KeptServer> {
  return startKeptServer('Redis', new URL('redis.process.ts', import.meta.url))
}
