import { browse } from '@authconn/sandbox'
import { expect } from 'vitest'
import { beginAuthorize } from './authorization.ts'
import type { World } from './world.ts'

/** Creates a connection at the sandbox and authorizes it. */
export async function authorized(world: World, name: string): Promise<void> {
  await world.create(name)
  const authorizing = await beginAuthorize(world, name)
  await browse(authorizing.notice.authorization_url, { followCallback: true })
  expect((await authorizing.ended).exitCode).toBe(0)
}
