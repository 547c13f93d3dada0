import type { Sandbox } from '../../src/index.ts'

/** Calls the switches of a sandbox; a body that is a string goes out as it is. */
export function createSwitchClient(sandbox: { readonly issuer: Sandbox['issuer'] }) {
  return async function call(method: string, path: string, body?: unknown) {
    const init =
      body === undefined ? { method } : { method, body: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await fetch(`${sandbox.issuer}/sandbox/${path}`, init)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
}
