import { write, writeFileSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/** Characters that wait at most: about a second of a vault that is fully used. */
const mostWaiting = 4 * 1024 * 1024
/** Milliseconds until a descriptor that takes nothing now is tried again. */
const retryAfter = 20
/** Milliseconds after which a write that has not ended is held up by whoever should read. */
const patience = 500

export interface LogOutput extends DestinationStream {
  /** Calls back when all that was written so far has been handed over or dropped. */
  flush(done: () => void): void
}

/**
 * An output for the log of a vault that serves: a full pipe, a terminal that was stopped or a busy disk holds up the log and
 * nobody else. Lines of one turn of the event loop go in one piece, written by another thread, and what comes meanwhile goes
 * next. What waits is bounded: what is beyond it is dropped, and `tellDropped` is called once lines are taken again. Lines
 * that cannot be written are dropped as well: a full disk or a closed terminal may not end the vault.
 */
export function createLogOutput(descriptor: number, tellDropped: (count: number) => void): LogOutput {
  let lines = ''
  let dropped = 0
  let isBusy = false
  let writingSince: number | undefined
  let waiting: (() => void)[] = []

  process.on('exit', () => {
    // What is stuck stays stuck, and would keep the process from ending.
    if (lines !== '' && !(writingSince !== undefined && performance.now() - writingSince > patience)) writeNow()
  })

  return {
    write(line) {
      if (lines.length > mostWaiting) {
        dropped++
        return
      }
      lines += line
      if (isBusy) return
      isBusy = true
      setImmediate(writeNext)
    },
    flush(done) {
      if (isBusy) waiting.push(done)
      else done()
    },
  }

  function writeNext(): void {
    if (lines === '') {
      isBusy = false
      const done = waiting
      waiting = []
      for (const each of done) each()
      return
    }
    const together = Buffer.from(lines)
    lines = ''
    writeAll(together)
  }

  function writeAll(bytes: Buffer): void {
    writingSince = performance.now()
    write(descriptor, bytes, (error, count) => {
      writingSince = undefined
      if (error?.code === 'EAGAIN') setTimeout(writeAll, retryAfter, bytes)
      else if (!error && count < bytes.length) writeAll(bytes.subarray(count))
      else afterPiece()
    })
  }

  function afterPiece(): void {
    if (dropped > 0) {
      const count = dropped
      dropped = 0
      tellDropped(count)
    }
    writeNext()
  }

  function writeNow(): void {
    try {
      writeFileSync(descriptor, lines)
    } catch {
      // Nobody is there to be told.
    }
  }
}
