import { mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../../.authconn', import.meta.url))

/** A directory for data of this run alone; those that killed runs left are cleared away. */
export function makeRunDirectory(name: string): { path: string; remove(): void } {
  mkdirSync(home, { recursive: true })
  for (const entry of readdirSync(home)) {
    const pid = new RegExp(`^${name}-(\\d+)$`).exec(entry)?.[1]
    if (pid && !isAlive(Number(pid))) rmSync(join(home, entry), { recursive: true, force: true })
  }
  const path = join(home, `${name}-${process.pid}`)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { mode: 0o700 })
  const remove = () => {
    rmSync(path, { recursive: true, force: true })
    if (readdirSync(home).length === 0) rmdirSync(home)
  }
  return { path, remove }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
