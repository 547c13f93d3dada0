import { expect, vi } from 'vitest'
import type { Child } from './child.ts'
import type { World } from './world.ts'

export interface Notice {
  authorization_id: string
  authorization_url: string
  redirect_uri: string
}

/** `authconn authorize NAME --json`, waiting for the browser. */
export async function beginAuthorize(
  world: World,
  name: string,
  ...flags: string[]
): Promise<Child & { notice: Notice }> {
  const child = world.begin(['authorize', name, '--port', '0', '--no-browser', '--json', ...flags])
  // Not a poll of expect, which may be used in tests alone: some authorize before all of them.
  await vi.waitFor(() => expect(child.stderr()).toContain('authorization_url'), { timeout: 10_000 })
  return { ...child, notice: JSON.parse(child.stderr().split('\n')[0] ?? '') }
}

/** Whether something listens where the callback was awaited. */
export async function listens(redirectUri: string): Promise<boolean> {
  return fetch(new URL(redirectUri).origin).then(
    () => true,
    () => false,
  )
}
