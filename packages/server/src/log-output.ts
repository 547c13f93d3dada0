import { fstatSync, write, writeFileSync, writeSync } from 'node:fs'
import type { DestinationStream } from 'pino'

/** Characters that wait at most, beside those that are being written: about a second of a vault that is fully used. */
const mostWaiting = 4 * 1024 * 1024
/** Milliseconds from one look at a full pipe to the next: the longer it has been full, the longer. */
const pauses = { first: 1, longest: 50 }
/** Milliseconds that a process which ends waits for a reader. */
const patience = 1000
/** Milliseconds after which a thread that writes hangs. */
const stuckAfter = 500

export interface Destination {
  descriptor: number
  /** Whether a write may wait; false: it returns at once in any case, also of no avail. */
  blocks: boolean
}

export interface LogOutput extends DestinationStream {
  /** Calls back when what has come so far is written or dropped. */
  flush(done: () => void): void
  /** Whether a thread hangs in a write, for which the end of the process would wait. */
  isStuck(): boolean
}

/**
 * An output for the log of a vault that serves: a full pipe, a terminal that is not read or a busy disk holds up the log and
 * nobody else. Lines of one turn of the event loop go in one piece, and what comes before that is written goes next. What waits
 * is bounded: beyond it the oldest lines are dropped. Lines that cannot be written are dropped as well: a full disk or a
 * closed terminal may not end the vault. Once lines are taken again, `tellDropped` is called with how many those were.
 */
export function createLogOutput(
  { descriptor, blocks }: Destination,
  tellDropped: (count: number) => void,
): LogOutput {
  let lines = ''
  /** What is being written, and where nothing blocks, exactly what is left of it. */
  let piece: Buffer = Buffer.alloc(0)
  let pieceSince = 0
  let pause = pauses.first
  let dropped = 0
  let isBusy = false
  /** Who waits for the piece that is being written, and for the one after it. */
  let waitingNow: (() => void)[] = []
  let waiting: (() => void)[] = []

  process.on('exit', writeLast)

  return {
    write(line) {
      lines += line
      if (lines.length > mostWaiting) dropOldest()
      if (isBusy) return
      isBusy = true
      setImmediate(writeNext)
    },
    flush(done) {
      if (isBusy) waiting.push(done)
      else done()
    },
    isStuck: () => blocks && piece.length > 0 && performance.now() - pieceSince > stuckAfter,
  }

  function writeNext(): void {
    for (const done of waitingNow) done()
    waitingNow = waiting
    waiting = []
    if (lines === '') {
      isBusy = false
      for (const done of waitingNow) done()
      waitingNow = []
      return
    }
    piece = Buffer.from(lines)
    lines = ''
    writePiece()
  }

  function writePiece(): void {
    pieceSince = performance.now()
    // Where it may block, another thread does.
    if (blocks) write(descriptor, piece, goOn)
    else goOn(...writeWhatFits(descriptor, piece))
  }

  function goOn(error: NodeJS.ErrnoException | null, count: number): void {
    if (error?.code === 'EAGAIN') {
      // No reason to stay: at the exit it is tried once more.
      setTimeout(writePiece, pause).unref()
      pause = Math.min(pause * 2, pauses.longest)
      return
    }
    pause = pauses.first
    if (error) {
      dropped += countLines(piece)
      piece = piece.subarray(piece.length)
    } else {
      piece = piece.subarray(count)
    }
    if (piece.length > 0) {
      writePiece()
      return
    }
    if (!error && dropped > 0) tellOfDropped()
    writeNext()
  }

  function tellOfDropped(): void {
    const count = dropped
    dropped = 0
    tellDropped(count)
  }

  function dropOldest(): void {
    const end = lines.indexOf('\n', mostWaiting / 2) + 1 || lines.length
    dropped += countLines(lines.slice(0, end))
    lines = lines.slice(end)
  }

  /** At the exit of the process, which may be a crash: its last words are here. */
  function writeLast(): void {
    if (dropped > 0) tellOfDropped()
    if (blocks) {
      // What another thread is writing is written while the process ends.
      if (lines !== '') attempt(() => writeFileSync(descriptor, lines))
      return
    }
    let rest = Buffer.concat([piece, Buffer.from(lines)])
    const deadline = performance.now() + patience
    while (rest.length > 0 && performance.now() < deadline) {
      const [error, count] = writeWhatFits(descriptor, rest)
      if (error && error.code !== 'EAGAIN') return
      rest = rest.subarray(count)
      if (error) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

/**
 * Files and terminals block, and on Windows everything does. Node has pipes and sockets never block, from when its own stream
 * for them is made.
 */
export function standardOutput(): Destination {
  const descriptor = 1
  if (process.platform === 'win32' || !isPipe(descriptor)) return { descriptor, blocks: true }
  // Makes that stream. Whoever reads it may go: a write to the descriptor says so itself.
  process.stdout.on('error', () => undefined)
  return { descriptor, blocks: false }
}

function isPipe(descriptor: number): boolean {
  const kind = fstatSync(descriptor)
  return kind.isFIFO() || kind.isSocket()
}

function writeWhatFits(descriptor: number, bytes: Buffer): [error: NodeJS.ErrnoException | null, count: number] {
  try {
    return [null, writeSync(descriptor, bytes)]
  } catch (error) {
    return [error as NodeJS.ErrnoException, 0]
  }
}

function countLines(text: string | Buffer): number {
  let count = 0
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) count++
  return count
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // Nobody is left to be told.
  }
}
