import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import { answerJson, serve } from './support/serve.ts'
import { createWorld, token } from './support/world.ts'

/** The library with all that it needs, as one script. */
async function bundled() {
  const build = await rolldown({
    input: fileURLToPath(new URL('../src/index.ts', import.meta.url)),
    platform: 'neutral',
    tsconfig: false,
    external: () => false,
  })
  const { output } = await build.generate({ format: 'iife', name: 'sdk' })
  await build.close()
  return output
}

/** What a platform without Node's built-ins and globals has: the common API of web-interoperable runtimes. */
const webGlobals = {
  ...{ fetch, Headers, Request, Response, URL, URLSearchParams, TextDecoder, TextEncoder, ReadableStream },
  ...{ AbortController, AbortSignal, setTimeout, clearTimeout, performance, Blob, FormData, atob },
}

test('the library imports nothing, and is one small file', async () => {
  const [file, ...others] = await bundled()
  expect(others).toEqual([])
  expect(file.imports).toEqual([])
  expect(file.dynamicImports).toEqual([])
  expect(file.code).not.toMatch(/\brequire\(|\bimport\(|\bBuffer\b/)
  expect(file.code.length).toBeLessThan(100_000)
})

test('it works where there is nothing but what the web has', async () => {
  const [file] = await bundled()
  const { vaultUrl, api, calls } = await createWorld()
  const context = createContext({ ...webGlobals, vaultUrl, api })
  runInContext(file.code, context)
  const result: unknown = await runInContext(
    `(async () => {
      const client = sdk.createClient({ url: vaultUrl, apiKey: 'ak_test' })
      const { access_token } = await client.getConnectionToken('google')
      const response = await client.authenticatedFetch('google')(api + '/path')
      const missing = await sdk.authconnection.getConnectionToken('google').catch((error) => error.code)
      return JSON.stringify({ access_token, text: await response.text(), missing, process: typeof process })
    })()`,
    context,
  )
  expect(JSON.parse(String(result))).toEqual({
    access_token: 'at-1',
    text: 'welcome',
    missing: 'vault_not_configured',
    process: 'undefined',
  })
  expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer at-1', 'Bearer at-2'])
})

test('an identity is exchanged there, too', async () => {
  const [file] = await bundled()
  const issued = {
    ...{ access_token: 'ack_key', issued_token_type: 'a', token_type: 'Bearer', expires_in: 900 },
    ...{ expires_at: '2030-01-01T00:00:00.000Z', caller: 'trust:edge', trust: 'edge', workspace: 'default' },
  }
  const keys: (string | undefined)[] = []
  const vaultUrl = await serve((request, response) => {
    keys.push(request.headers.authorization)
    answerJson(200, request.url === '/v1/identity/token' ? issued : token(1))(request, response)
  })
  const context = createContext({ ...webGlobals, vaultUrl })
  runInContext(file.code, context)
  const result: unknown = await runInContext(
    `(async () => {
      const client = sdk.createClient({ url: vaultUrl, identity: async () => 'a.b.c' })
      const { access_token } = await client.getConnectionToken('google')
      const platform = sdk.createClient({ url: vaultUrl, identity: sdk.platformIdentity })
      const missing = await platform.call('getSelf').catch((error) => error.code)
      return JSON.stringify({ access_token, missing })
    })()`,
    context,
  )
  expect(JSON.parse(String(result))).toEqual({ access_token: 'at-1', missing: 'unauthenticated' })
  expect(keys).toEqual([undefined, 'Bearer ack_key'])
})
