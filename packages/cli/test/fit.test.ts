import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { nearest } from '../src/nearest.ts'
import { paintFor } from '../src/output/paint.ts'
import { details, table } from '../src/output/table.ts'
import { fakeVault, Problem } from './support/fake-vault.ts'
import { begin, run } from './support/run.ts'
import { caller, connection } from './support/samples.ts'

const view = (width?: number) => ({ now: new Date(0), paint: paintFor({}, {}), width })
const columns = [
  { heading: 'NAME', cells: ['google-oauth', 'b'], whole: true as const },
  { heading: 'DETAIL', cells: ['x'.repeat(60), 'short'] },
]

describe('a table', () => {
  test('is as wide as it wants where there is no terminal', () => {
    expect(table(columns, view())).toBe(
      `NAME          DETAIL\ngoogle-oauth  ${'x'.repeat(60)}\nb             short`,
    )
  })

  test('cuts the widest column that may be cut, to the width of the terminal', () => {
    const lines = table(columns, view(40)).split('\n')
    expect(lines[1]).toBe(`google-oauth  ${'x'.repeat(25)}…`)
    expect(lines.every((line) => line.length <= 40)).toBe(true)
  })

  test('never cuts a name, and turns into lists where there is no room', () => {
    expect(table(columns, view(20))).toBe(
      `  name    google-oauth\n  detail  ${'x'.repeat(60)}\n\n  name    b\n  detail  short`,
    )
  })
})

test('a column that can be spared, or has nothing in it, goes before another is cut', () => {
  const spared = [...columns, { heading: 'MORE', cells: ['y'.repeat(30), 'y'], spare: true as const }]
  const empty = [{ heading: 'NOTHING', cells: ['-', '-'] }, ...columns]
  for (const given of [spared, empty]) {
    expect(table(given, view(80))).toBe(table(columns, view()))
    expect(table(given, view(140))).toContain(given === spared ? 'MORE' : 'NOTHING')
  }
})

test('details are folded at spaces, and what has none is left whole', () => {
  expect(details([['why', 'one two three four five']], view(20))).toBe('  why  one two three\n       four five')
  expect(details([['url', 'https://id.example/a/long/path']], view(20))).toBe(
    '  url  https://id.example/a/long/path',
  )
})

test('list fits 60 columns with its names whole', async () => {
  const name = 'quite-a-long-name-for-a-connection'
  const { url } = await fakeVault({
    listConnections: () => ({
      connections: [connection({ name, provider: 'a-provider-of-some-length' })],
      next: null,
    }),
  })
  const { stdout } = await run(['list'], { url, columns: 60, env: { NO_COLOR: '1' } })
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
  expect(stdout).toContain(name)
})

describe('--quiet', () => {
  test('leaves out what to do next, and keeps result, warnings and errors', async () => {
    const { url } = await fakeVault({ listConnections: () => ({ connections: [], next: null }) })
    const quiet = await run(['list', '--quiet'], { url })
    expect(quiet).toMatchObject({ stdout: 'There are no connections yet.\n', stderr: '' })
    expect((await run(['list'], { url })).stderr).toContain('Next:')
    expect((await run(['get', '-q', 'nope'], { url })).stderr).toContain('Error:')
  })
})

describe('list --watch', () => {
  test('prints each change, goes on while the vault is out of reach, and ends with 0 when it is stopped', async () => {
    let status: 'pending' | 'active' = 'pending'
    let broken = false
    const { url, requests } = await fakeVault({
      listConnections() {
        if (broken) throw new Problem('not_ready', 'It is starting.', {})
        return { connections: [connection({ status })], next: null }
      },
    })
    const running = begin(['list', '--watch', '--interval', '1s', '--json'], { url })
    await expect.poll(() => running.stdout(), { timeout: 5000 }).toContain('pending')
    broken = true
    await expect.poll(() => running.stderr(), { timeout: 5000 }).toContain('Trying again')
    broken = false
    status = 'active'
    await expect.poll(() => running.stdout(), { timeout: 5000 }).toContain('"active"')
    const asked = requests.length
    await sleep(1500)
    expect(requests.length).toBeGreaterThan(asked)
    running.interrupt()
    expect(await running.exitCode).toBe(0)
    const lines = running.stdout().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).connections[0].status)).toEqual(['pending', 'active'])
  })

  test('shows in a terminal the latest alone', async () => {
    const { url } = await fakeVault({ listConnections: () => ({ connections: [connection()], next: null }) })
    const running = begin(['list', '--watch'], { url, columns: 80 })
    await expect.poll(() => running.stdout(), { timeout: 5000 }).toContain('google-oauth')
    expect(running.stdout().startsWith('\u001b[H\u001b[2J')).toBe(true)
    running.interrupt()
    expect(await running.exitCode).toBe(0)
  })

  test('ends with an error that does not pass', async () => {
    const { url } = await fakeVault({
      listConnections() {
        throw new Problem('permission_denied', 'It may not.')
      },
    })
    expect((await run(['list', '--watch'], { url })).exitCode).toBe(3)
    expect((await run(['list', '--interval', '5s'], { url })).stderr).toContain('--interval goes with --watch')
  })
})

test.each([
  ['google-oath', ['google-oauth', 'slack'], 'google-oauth'],
  ['slakc', ['google-oauth', 'slack'], 'slack'],
  ['google', ['google-oauth', 'slack'], 'google-oauth'],
  ['google', ['google-dev', 'google-prod'], undefined],
  ['zoom', ['google-oauth', 'slack'], undefined],
  ['a', ['b'], undefined],
  ['', ['b'], undefined],
] as const)('%j of %j is meant to be %j', (word, names, meant) => {
  expect(nearest(word, names)).toBe(meant)
})

describe('a mistyped name', () => {
  const missing = () => {
    throw new Problem('connection_not_found', 'There is no such connection')
  }

  test('of a connection is told with the one that was meant', async () => {
    const listConnections = () => ({ connections: [connection()], next: null })
    const { url } = await fakeVault({ getToken: missing, listConnections })
    const { exitCode, stderr } = await run(['token', 'gogle-oauth'], { url })
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('There is no such connection. Did you mean google-oauth?'),
    })
    expect((await run(['token', 'zoom'], { url })).stderr).not.toContain('Did you mean')
  })

  test('is told without where the key may not list', async () => {
    const { url } = await fakeVault({ getToken: missing })
    const { exitCode, stderr } = await run(['token', 'gogle-oauth'], { url })
    expect(exitCode).toBe(4)
    expect(stderr).toContain('[connection_not_found]')
  })

  test('of a caller is told likewise', async () => {
    const { url } = await fakeVault({
      listCallers: () => ({ callers: [caller({ name: 'ci-main' })], next: null }),
    })
    expect((await run(['callers', 'revoke', 'ci-mian', '--yes'], { url })).stderr).not.toContain('internal')
    expect((await run(['callers', 'rotate', 'ci-mian'], { url })).stderr).toContain('Did you mean ci-main?')
  })
})
