import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type SandboxStats, startSandbox } from '../src/index.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function run(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const exited = once(child, 'close').then(([code]: unknown[]) => ({ code, ...output }))
  return { child, exited, firstOutput: () => once(child.stdout, 'data').then(() => output.stdout) }
}

test('it prints how to connect as JSON, serves, and ends on SIGTERM', async () => {
  const { child, exited, firstOutput } = run('--port', '0', '--json', '--client-secret', 'mine', '--no-rotate')
  const info = JSON.parse(await firstOutput())
  expect(info).toMatchObject({ client_id: 'sandbox-client', client_secret: 'mine' })
  expect((await fetch(info.stats)).status).toBe(200)
  child.kill('SIGTERM')
  expect(await exited).toMatchObject({ code: 0, stderr: '' })
})

test('its flags set the settings, and it ends at once although requests wait', async () => {
  const flags =
    '--port 0 --json --signing-alg ES256 --access-token-ttl 60 --refresh-token-ttl 600 --no-rotate ' +
    '--announce-refresh-token-ttl refresh_token_expires_in --reuse-interval 5 --token-latency 60000'
  const { child, exited, firstOutput } = run(...flags.split(' '))
  const info = JSON.parse(await firstOutput())
  expect(await (await fetch(info.settings)).json()).toEqual({
    accessTokenTtl: 60,
    devicePollInterval: 5,
    refreshTokenTtl: 600,
    idTokenTtl: 3600,
    rotateRefreshTokens: false,
    reuseInterval: 5,
    tokenLatencyMs: 60_000,
    announceRefreshTokenTtl: 'refresh_token_expires_in',
  })
  const minted = await fetch(info.tokens, { method: 'POST', body: '{}' })
  expect(await minted.json()).toMatchObject({ tokens: [{ expires_in: 60, refresh_token_expires_in: 600 }] })
  expect(await (await fetch(info.families)).json()).toMatchObject({ families: [{ refreshes: 0 }] })
  const jwks = await fetch(`${info.issuer}/jwks`)
  expect(await jwks.json()).toMatchObject({ keys: [{ alg: 'ES256' }] })

  const waiting = expect(fetch(`${info.issuer}/token`, { method: 'POST' })).rejects.toThrow()
  await vi.waitUntil(async () => {
    const stats = (await (await fetch(info.stats)).json()) as SandboxStats
    return stats.concurrentTokenRequests.now === 1
  })
  child.kill('SIGTERM')
  expect(await exited).toMatchObject({ code: 0, stderr: '' })
  await waiting
})

test('it ends on SIGINT', async () => {
  const { child, exited, firstOutput } = run('--port', '0')
  expect(await firstOutput()).toContain('client secret')
  child.kill('SIGINT')
  expect(await exited).toMatchObject({ code: 0, stderr: '' })
})

test('it names the remedy when the port is taken', async () => {
  const { port, stop } = await startSandbox()
  onTestFinished(stop)
  const { code, stdout, stderr } = await run('--port', String(port)).exited
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toBe(
    `Port ${port} on 127.0.0.1 is taken by another process\nGive another one with --port, or --port 0.\n`,
  )
})

test('it shows its help, and refuses what it does not know', async () => {
  expect(await run('--help').exited).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('--access-token-ttl'),
  })
  expect(await run('--prot', '1').exited).toMatchObject({ code: 2, stdout: '' })
  expect(await run('--port', 'x').exited).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--port must be'),
  })
  expect(await run('--signing-alg', 'none').exited).toMatchObject({
    code: 2,
    stderr: '--signing-alg must be one of RS256, ES256, not "none"\nTry --help.\n',
  })
})
