import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What tests keep from run to run; it can be deleted at any time. */
export const cache = fileURLToPath(new URL('../../../../node_modules/.cache/authconn', import.meta.url))

/** For the environment of processes that run from the sources: without, each strips the types of all its files anew. */
export const compileCache = { NODE_COMPILE_CACHE: join(cache, 'compiled') }
