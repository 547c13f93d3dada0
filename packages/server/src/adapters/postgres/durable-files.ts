import { fstatSync, fsyncSync, writeSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/**
 * The embedded database's files, with an fsync that reaches the disk. PGlite's own file system has none, so that a
 * commit which was answered could be lost to a power cut, and with it a rotated refresh token that nobody can repeat.
 */
export class DurableFiles extends NodeFS {
  override async init(...given: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...given)
    const takeOver = (module: unknown) => {
      const operations = streamOperations(module)
      Object.assign(operations, { fsync: syncStream, write: watchLog(operations.write) })
    }
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), takeOver] } }
  }
}

/** Parameters of PostgreSQL that make it call the fsync above; its default, fdatasync, ends in an empty function. */
export function durableStartParams(defaults: readonly string[]): string[] {
  // -F is what turns fsync off.
  return [...defaults.filter((param) => param !== '-F'), '-c', 'wal_sync_method=fsync']
}

interface Stream {
  path?: string
  nfd?: number
}

type Write = (stream: Stream, ...given: unknown[]) => number

/** Writes that fail are PostgreSQL's to handle, but for those of which it says that it cannot go on. */
function watchLog(write: Write): Write {
  return (stream, ...given) => {
    try {
      return write(stream, ...given)
    } catch (error) {
      if (/\/pg_wal\/|\/pg_control$/.test(stream.path ?? '')) endWithoutDisk(error)
      throw error
    }
  }
}

function syncStream(stream: Stream): number {
  if (stream.nfd === undefined) return 0
  try {
    fsyncSync(stream.nfd)
  } catch (error) {
    // Not every file system syncs directories; PostgreSQL goes on without that as well.
    if (!fstatSync(stream.nfd).isDirectory()) endWithoutDisk(error)
  }
  return 0
}

/**
 * What could not be written to the log or synced must not count as committed, nor may the log of it be used again. PostgreSQL
 * panics for it, and starts from its log; in PGlite a panic gets lost, and it goes on, refuses everything, or goes in
 * circles. So the process ends here and runs not a line more of it: nothing is answered, and the next start reads the log.
 */
function endWithoutDisk(error: unknown): never {
  // Of what went through PGlite's file system the number is left.
  const reason = error instanceof Error ? error.message : `error ${get(error, 'errno')}`
  const words = `The disk does not take what the embedded database writes: ${reason}. Is it full? The vault ends, and can be started again.\n`
  try {
    writeSync(2, words)
  } finally {
    // Also where nobody reads the words: an error from here would get lost as well.
    process.exit(1)
  }
}

function streamOperations(module: unknown): { write: Write } {
  const operations = get(get(module, 'NODEFS'), 'stream_ops')
  const write = get(operations, 'write')
  if (typeof operations !== 'object' || operations === null || typeof write !== 'function') {
    throw new Error('This PGlite keeps its file operations elsewhere: fsync cannot be added')
  }
  return operations as { write: Write }
}

function get(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
