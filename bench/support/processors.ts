import { readdir, readFile } from 'node:fs/promises'

/** Processor time in cores, where 1 is one that had nothing else to do. */
export type ProcessorUse<Group extends string> = Record<Group | 'machine', number>

const ticksPerSecond = 100

/**
 * Watches what groups of processes take, by /proc, which only Linux has; who has ended before the end is not counted. The
 * function that it resolves to ends it.
 */
export async function watchProcessors<Group extends string>(
  groups: Record<Group, () => Promise<readonly number[]>>,
): Promise<() => Promise<ProcessorUse<Group>>> {
  const names = Object.keys(groups) as Group[]
  const look = async () => ({
    at: performance.now(),
    machine: await machineTicks(),
    groups: await Promise.all(names.map(async (name) => ticksOfEach(await groups[name]()))),
  })
  const before = await look()

  return async function end() {
    const after = await look()
    const cores = (ticks: number) => (ticks / ticksPerSecond / (after.at - before.at)) * 1000
    const found = names.map((name, index) => {
      const atFirst = before.groups[index]
      const spent = [...(after.groups[index] ?? [])].map(([pid, ticks]) => ticks - (atFirst?.get(pid) ?? 0))
      return [name, cores(spent.reduce((sum, each) => sum + each, 0))]
    })
    return { ...Object.fromEntries(found), machine: cores(after.machine - before.machine) }
  }
}

async function ticksOfEach(pids: readonly number[]): Promise<Map<number, number>> {
  return new Map(await Promise.all(pids.map(async (pid) => [pid, await ticksOf(pid)] as const)))
}

/** The process and all that it started and they started, as they are now. */
export async function familyOf(pid: number): Promise<number[]> {
  const everyone = (await readdir('/proc')).map(Number).filter((each) => each > 0)
  const parents = await Promise.all(everyone.map(async (each) => ({ pid: each, parent: await parentOf(each) })))
  const family = [pid]
  // Grows while it is walked.
  for (const member of family) {
    family.push(...parents.filter(({ parent }) => parent === member).map((each) => each.pid))
  }
  return family
}

export async function parentOf(pid: number): Promise<number | undefined> {
  const [, parent] = await statOf(pid)
  return parent === undefined ? undefined : Number(parent)
}

/** 0 for one that is gone. */
async function ticksOf(pid: number): Promise<number> {
  const fields = await statOf(pid)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** The fields after the name, which may hold anything. */
async function statOf(pid: number): Promise<string[]> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

/** Everything but idling and waiting for disks. */
async function machineTicks(): Promise<number> {
  const [line = ''] = (await readFile('/proc/stat', 'latin1')).split('\n', 1)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return user + nice + system + irq + softirq + steal
}
