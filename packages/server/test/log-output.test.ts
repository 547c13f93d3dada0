import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createLogOutput } from '../src/log-output.ts'
import { temporaryDirectory } from './support/vault-process.ts'

const full = 64 * 1024

/** A pipe, both of whose ends are here; the one to write to blocks unless it is said otherwise. */
function openPipe(flags = 0) {
  const path = join(temporaryDirectory(), 'pipe')
  execFileSync('mkfifo', [path])
  // Open for both, or opening would wait for the other end.
  const input = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  const output = openSync(path, constants.O_RDWR | flags)
  let isOpen = true
  const closeReader = () => {
    if (isOpen) closeSync(input)
    isOpen = false
  }
  onTestFinished(() => {
    closeReader()
    closeSync(output)
  })
  const piece = Buffer.alloc(full)
  /** What is in it now. */
  function read(): string {
    try {
      return piece.toString('utf8', 0, readSync(input, piece))
    } catch {
      return ''
    }
  }
  return { output, read }
}

const flushed = (log: ReturnType<typeof createLogOutput>) => new Promise<void>((done) => log.flush(done))

async function readUntil(read: () => string, isOver: (text: string) => boolean): Promise<string> {
  let text = ''
  for (let tries = 0; tries < 2000 && !isOver(text); tries++) {
    const more = read()
    if (more === '') await sleep(5)
    text += more
  }
  return text
}

const lineOf = (number: number) => `${String(number).padStart(9, '0')} ü ${'x'.repeat(1000)}\n`
const numbersIn = (text: string) => [...text.matchAll(/^\d+/gm)].map(([number]) => Number(number))

describe.runIf(process.platform !== 'win32')('the log of a vault that serves', () => {
  test('is written in order, and flush tells when it is', async () => {
    const { output, read } = openPipe()
    const log = createLogOutput(output, () => undefined)
    log.write('one\n')
    log.write('two\n')
    await flushed(log)
    expect(read()).toBe('one\ntwo\n')
    await flushed(log)
  })

  test.each([
    ['that blocks', 0],
    ['that says to come again', constants.O_NONBLOCK],
  ])('waits at a pipe %s without holding anybody up, and loses nothing', async (_, flags) => {
    const { output, read } = openPipe(flags)
    const dropped: number[] = []
    const log = createLogOutput(output, (count) => dropped.push(count))
    for (let number = 0; number < 1000; number++) {
      log.write(lineOf(number))
      if (number % 100 === 0) await sleep(1)
    }
    // The turns above are the proof: a write that blocks would have ended none of them.
    const text = await readUntil(read, (all) => all.includes(lineOf(999)))
    expect(numbersIn(text)).toEqual(Array.from({ length: 1000 }, (_, number) => number))
    expect(dropped).toEqual([])
  })

  test('drops what is beyond its bound, and tells how many lines that were', async () => {
    const { output, read } = openPipe()
    const total = 8000
    let told = 0
    const log = createLogOutput(output, (count) => {
      told += count
      log.write('told\n')
    })
    for (let number = 0; number < total; number++) {
      log.write(lineOf(number))
      if (number === 10) await sleep(20)
    }
    const numbers = numbersIn(await readUntil(read, (all) => all.includes('told\n')))
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, number) => number))
    expect(told).toBe(total - numbers.length)
    expect(numbers.length).toBeGreaterThan(4000)
    expect(numbers.length).toBeLessThan(5000)
  })

  test('drops what cannot be written, and ends nobody', async () => {
    const readOnly = openSync('/dev/null', 'r')
    onTestFinished(() => closeSync(readOnly))
    const log = createLogOutput(readOnly, () => undefined)
    for (const line of ['nowhere\n', 'nowhere again\n']) {
      log.write(line)
      await flushed(log)
    }
  })
})
