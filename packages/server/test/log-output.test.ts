import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLogOutput, type Destination } from '../src/log-output.ts'
import { temporaryDirectory } from './support/vault-process.ts'

const noneDropped = (count: number) => expect(count).toBe(0)

/** A pipe, both of whose ends are here. It takes some 64 kB until it is read. */
function openPipe({ blocks }: { blocks: boolean }) {
  const path = join(temporaryDirectory(), 'pipe')
  execFileSync('mkfifo', [path])
  // Open for both, or opening would wait for the other end.
  const input = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const descriptor = openSync(path, constants.O_RDWR | (blocks ? 0 : constants.O_NONBLOCK))
  onTestFinished(() => {
    closeSync(input)
    closeSync(descriptor)
  })
  const piece = Buffer.alloc(64 * 1024)
  /** What is in it now. */
  function read(): Buffer {
    try {
      return piece.subarray(0, readSync(input, piece))
    } catch {
      return piece.subarray(0, 0)
    }
  }
  async function readUntil(end: string): Promise<string> {
    let all = Buffer.alloc(0)
    for (let tries = 0; tries < 2000 && !all.includes(end); tries++) {
      const more = Buffer.from(read())
      if (more.length === 0) await sleep(5)
      all = Buffer.concat([all, more])
    }
    return all.toString()
  }
  const destination: Destination = { descriptor, blocks }
  return { destination, readUntil }
}

const flushed = (log: ReturnType<typeof createLogOutput>) => new Promise<void>((done) => log.flush(done))

const lineOf = (number: number) => `${String(number).padStart(9, '0')} ü ${'x'.repeat(1000)}\n`
const numbersIn = (read: string) =>
  [...read.matchAll(/^\d{9} ü x{1000}$/gm)].map(([line]) => Number.parseInt(line, 10))
const numbers = (first: number, end: number) => Array.from({ length: end - first }, (_, index) => first + index)

describe.runIf(process.platform !== 'win32').each([{ blocks: true }, { blocks: false }])(
  'the log of a vault that serves, at a pipe (%o)',
  (kind) => {
    test('is written in order, and flush tells when it is', async () => {
      const { destination, readUntil } = openPipe(kind)
      const log = createLogOutput(destination, noneDropped)
      log.write('one\n')
      log.write('two\n')
      await flushed(log)
      expect(await readUntil('two\n')).toBe('one\ntwo\n')
      await flushed(log)
      expect(log.isStuck()).toBe(false)
    })

    test('waits for its reader without holding anybody up, and loses nothing', async () => {
      const { destination, readUntil } = openPipe(kind)
      const log = createLogOutput(destination, noneDropped)
      for (const number of numbers(0, 1000)) {
        log.write(lineOf(number))
        if (number % 100 === 0) await sleep(1)
      }
      await sleep(700)
      // Only where a write blocks is there a thread that hangs in it.
      expect(log.isStuck()).toBe(kind.blocks)
      expect(numbersIn(await readUntil(lineOf(999)))).toEqual(numbers(0, 1000))
    })

    test('flush waits for what came before it, and for nothing that came later', async () => {
      const { destination, readUntil } = openPipe(kind)
      const log = createLogOutput(destination, noneDropped)
      const order: string[] = []
      log.write('first\n')
      log.flush(() => order.push('first'))
      // The pipe is full from the second piece on.
      setImmediate(() => {
        for (const number of numbers(0, 200)) log.write(lineOf(number))
        log.flush(() => order.push('second'))
      })
      await sleep(100)
      expect(order).toEqual(['first'])
      await readUntil(lineOf(199))
      await flushed(log)
      expect(order).toEqual(['first', 'second'])
    })

    test('drops the oldest lines beyond its bound, and tells how many', async () => {
      const { destination, readUntil } = openPipe(kind)
      const told: number[] = []
      const log = createLogOutput(destination, (count) => {
        told.push(count)
        log.write('told\n')
      })
      // More than the pipe takes, so that one piece is under way when the others come.
      for (const number of numbers(0, 100)) log.write(lineOf(number))
      await sleep(50)
      for (const number of numbers(100, 10_000)) log.write(lineOf(number))
      const seen = numbersIn(await readUntil('told\n'))
      const kept = seen.length - 100
      expect(seen).toEqual([...numbers(0, 100), ...numbers(10_000 - kept, 10_000)])
      expect(told).toEqual([10_000 - seen.length])
      // 4 million characters at most, and half of that at least.
      expect(kept).toBeGreaterThan(2000)
      expect(kept).toBeLessThan(4200)
    })
  },
)

test.runIf(process.platform === 'linux').each([{ blocks: true }, { blocks: false }])(
  'drops what a full disk does not take, and ends nobody (%o)',
  async ({ blocks }) => {
    const descriptor = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(descriptor))
    const log = createLogOutput({ descriptor, blocks }, noneDropped)
    for (const line of ['nowhere\n', 'nowhere again\n']) {
      log.write(line)
      await flushed(log)
    }
    expect(log.isStuck()).toBe(false)
  },
)

test.runIf(process.platform !== 'win32')('the last words of a crash reach a reader that is late', async () => {
  const script = fileURLToPath(new URL('support/log-and-crash.process.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.pause()
  await once(child.stderr, 'data')
  await sleep(200)
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect(code).toBe(1)
  expect(output.split('\n').length).toBe(1503)
  expect(output).toMatch(/^before it\nthe last words\n$/m)
})
