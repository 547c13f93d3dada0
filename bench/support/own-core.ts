import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface CoreSplit {
  /** For what is measured. */
  own: string
  /** For what it needs: the load and the database. */
  others: string
}

/** undefined where this process may use one core only. */
export async function splitCores(): Promise<CoreSplit | undefined> {
  const status = await readFile('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1]
  if (list === undefined) throw new Error('/proc/self/status does not tell which cores may be used')
  return splitList(list)
}

/** As Linux writes them: `0-3,8`. */
export function splitList(list: string): CoreSplit | undefined {
  const cores = list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    if (first === undefined || last === undefined) return []
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  const [own, ...others] = cores
  if (own === undefined || others.length === 0) return undefined
  return { own: String(own), others: others.join(',') }
}

const missing = 'this needs taskset: apt-get install util-linux (Debian, Ubuntu), or run it with --together'

/** Keeps a process, all its threads and what they start from now on to these cores; nothing when it has ended. */
export async function keepTo(cores: string, pid: number): Promise<void> {
  try {
    await run('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)])
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new Error(missing, { cause: error })
    }
    if (existsSync(`/proc/${pid}`)) throw error
  }
}
