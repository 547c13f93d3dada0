import { fsyncSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/**
 * The embedded database's files, with an fsync that reaches the disk. PGlite's own file system has none, so that a
 * commit which was answered could be lost to a power cut, and with it a rotated refresh token that nobody can repeat.
 */
export class DurableFiles extends NodeFS {
  override async init(...given: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...given)
    const addSync = (module: unknown) => Object.assign(streamOperations(module), { fsync: syncStream })
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addSync] } }
  }
}

/** Parameters of PostgreSQL that make it call the fsync above; its default, fdatasync, ends in an empty function. */
export function durableStartParams(defaults: readonly string[]): string[] {
  // -F is what turns fsync off.
  return [...defaults.filter((param) => param !== '-F'), '-c', 'wal_sync_method=fsync']
}

function syncStream(stream: { nfd?: number }): number {
  // A directory has no descriptor of Node's; its names are brought to disk with the next file's journal.
  if (stream.nfd !== undefined) fsyncSync(stream.nfd)
  return 0
}

function streamOperations(module: unknown): object {
  const operations = get(get(module, 'NODEFS'), 'stream_ops')
  if (typeof operations !== 'object' || operations === null) {
    throw new Error('This PGlite keeps its file operations elsewhere: fsync cannot be added')
  }
  return operations
}

function get(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
