import { expect } from 'vitest'
import { fakeVault, type Handlers, type VaultRequest } from './fake-vault.ts'
import { begin, type Running } from './run.ts'
import { grant, started } from './samples.ts'

export const state = 'st-4te'

export interface Authorizing extends Running {
  redirectUri: string
  requests: VaultRequest[]
  operations(): string[]
}

/** `authconn authorize` waiting for the browser, with a vault that answers well unless told otherwise. */
export async function authorizing(flags: readonly string[] = [], handlers: Handlers = {}): Promise<Authorizing> {
  const vault = await fakeVault({
    startAuthorization: () => started(),
    completeAuthorization: () => ({ ...withoutUrl(), status: 'completed', grant: grant() }),
    cancelAuthorization: () => ({ ...withoutUrl(), status: 'failed' }),
    ...handlers,
  })
  // With a host nobody asks the vault for the registered one.
  const host = handlers.getConnection ? [] : ['--redirect-host', '127.0.0.1']
  const argv = ['authorize', 'google-oauth', '--port', '0', '--no-browser', '--json', ...host, ...flags]
  const running = begin(argv, { url: vault.url })
  await expect.poll(() => running.stderr(), { timeout: 10_000 }).toContain('redirect_uri')
  const notice: { redirect_uri: string } = JSON.parse(running.stderr().split('\n')[0] ?? '')
  return {
    ...running,
    redirectUri: notice.redirect_uri,
    requests: vault.requests,
    operations: () => vault.requests.map(({ operation }) => operation),
  }
}

export function withoutUrl() {
  const { authorization_url: _url, state: _state, ...authorization } = started()
  return authorization
}

/** The last line of stderr: the error, with --json. */
export function lastLine(running: Running): Record<string, unknown> {
  return JSON.parse(running.stderr().trimEnd().split('\n').at(-1) ?? '')
}
