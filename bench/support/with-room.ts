import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Room {
  /** Private, and deleted at the end. */
  directory: string
  /** Takes what is to be ended, in reverse, when the work has ended or failed. */
  atEnd(end: () => unknown): void
}

/** A directory and an orderly end for the length of some work. */
export async function withRoom<T>(name: string, work: (room: Room) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), `authconn-${name}-`))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const ends: (() => unknown)[] = [() => process.off('exit', remove), remove]
  try {
    return await work({ directory, atEnd: (end) => void ends.push(end) })
  } finally {
    for (const end of ends.reverse()) await end()
  }
}
