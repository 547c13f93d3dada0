import { readFile } from 'node:fs/promises'

/** Clock ticks a second, which Linux has had everywhere for decades. */
const ticks = 100

/** Milliseconds of processor time that a process has used so far: a figure that other work on the machine leaves alone. */
export async function cpuTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks
}
