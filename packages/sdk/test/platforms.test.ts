import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import { createWorld } from './support/world.ts'

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
  ...{ AbortController, AbortSignal, setTimeout, clearTimeout, performance, Blob, FormData },
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
