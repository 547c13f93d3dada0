import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withLock } from '../scripts/lib/lock.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

describe('the lock of the installation', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'authconn-lock-'))
    file = join(directory, 'lock')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const holdAs = (owner: { pid: number; host: string }) =>
    writeFileSync(file, JSON.stringify({ id: 'a', ...owner }))

  test('lets one in at a time', async () => {
    let inside = 0
    let most = 0
    const enter = () =>
      withLock(file, 'a test', async () => {
        most = Math.max(most, ++inside)
        await sleep(20)
        inside--
      })
    await Promise.all([enter(), enter(), enter()])

    expect(most).toBe(1)
    expect(readdirSync(directory)).toEqual([])
  })

  test('opens again when the action fails', async () => {
    const failing = withLock(file, 'a test', () => Promise.reject(new Error('no network')))

    await expect(failing).rejects.toThrow('no network')
    expect(existsSync(file)).toBe(false)
  })

  test('waits for a holder that lives', async () => {
    holdAs({ pid: process.pid, host: hostname() })
    let entered = false
    const waiting = withLock(file, 'a test', async () => {
      entered = true
    })
    await sleep(500)
    expect(entered).toBe(false)

    rmSync(file)
    await waiting
    expect(entered).toBe(true)
  })

  test('is taken from a process that died', async () => {
    holdAs({ pid: spawnSync(process.execPath, ['--version']).pid, host: hostname() })
    let entered = 0
    const enter = () =>
      withLock(file, 'a test', async () => {
        entered++
      })
    await Promise.all([enter(), enter()])

    expect(entered).toBe(2)
    expect(readdirSync(directory)).toEqual([])
  })

  test.each(['another machine', 'half written'])(
    'is taken from a holder whose heart stopped (%s)',
    async (which) => {
      if (which === 'half written') writeFileSync(file, '')
      else holdAs({ pid: process.pid, host: 'another machine' })
      const minuteAgo = new Date(Date.now() - 60_000)
      utimesSync(file, minuteAgo, minuteAgo)
      let entered = false
      await withLock(file, 'a test', async () => {
        entered = true
      })

      expect(entered).toBe(true)
    },
  )
})

describe.skipIf(process.platform === 'win32')('a script on the pinned Node', () => {
  const runScript = (code: string) => {
    const driver = [
      `import { runOnPinnedNode } from ${JSON.stringify(join(root, 'scripts/lib/node.mjs'))}`,
      `process.exitCode = await runOnPinnedNode(${JSON.stringify(root)}, ['-e', ${JSON.stringify(code)}], process.cwd())`,
    ]
    return spawn(process.execPath, ['--input-type=module', '-e', driver.join('\n')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  test('gives its exit code', async () => {
    expect(await ended(runScript('process.exit(7)'))).toEqual({ code: 7, stdout: '' })
  })

  test('that a signal ended gives 128 and the number of the signal', async () => {
    expect(await ended(runScript("process.kill(process.pid, 'SIGKILL')"))).toEqual({ code: 137, stdout: '' })
  })

  test('gets a signal once, is waited for, and decides itself how to end', async () => {
    const child = runScript(`
      process.on('SIGTERM', () => { console.log('SIGTERM'); setTimeout(() => process.exit(9), 200) })
      console.log('ready')
      setInterval(() => {}, 1000)`)
    const end = ended(child)
    if (child.stdout) await once(child.stdout, 'data')
    child.kill('SIGTERM')
    child.kill('SIGTERM')

    expect(await end).toEqual({ code: 9, stdout: 'ready\nSIGTERM\n' })
  })
})

test('an unknown command is refused in words on stderr', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/run.mjs'), 'nonsense'], {
    encoding: 'utf8',
  })

  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain('usage:')
})

async function ended(child: ChildProcess): Promise<{ code: number; stdout: string }> {
  let stdout = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  const [code] = await once(child, 'close')
  return { code, stdout }
}
