import { onTestFinished } from 'vitest'
import { createSafeFetch, type SafeFetch, type SafeFetchOptions } from '../../../src/adapters/oauth/safe-fetch.ts'

/** A door out that is closed when the test ends. */
export function openDoor(options: Partial<SafeFetchOptions> = {}): SafeFetch {
  const safeFetch = createSafeFetch({ allowLoopback: true, timeoutMs: 5000, ...options })
  onTestFinished(() => safeFetch.close())
  return safeFetch
}

/** A door behind which the global fetch, and with it nock, answers for the whole internet. */
export function openMockedDoor(): SafeFetch {
  return openDoor({
    allowLoopback: false,
    transport: (url, request) => fetch(url, { ...request, body: request.body ?? null, redirect: 'manual' }),
  })
}

/** A door that nobody may go through. */
export function openLockedDoor(): SafeFetch {
  return openDoor({
    allowLoopback: false,
    transport: async (url) => {
      throw new Error(`no call was expected, but there was one to ${url.host}`)
    },
  })
}
