import { setTimeout as sleep } from 'node:timers/promises'
import { anyOf } from '../support/any-of.ts'
import type { RunningVault } from '../support/vaults.ts'

/**
 * Kills one vault after another, whichever is up, after pauses of random length, and starts it again each time. Resolves
 * when all kills are done and every vault is back.
 */
export async function killAtRandom(
  vaults: RunningVault[],
  plan: { kills: number; pauseMs: readonly [from: number, to: number] },
): Promise<void> {
  const [from, to] = plan.pauseMs
  const up = new Set(vaults)
  const restarts: Promise<void>[] = []

  async function restart(vault: RunningVault): Promise<void> {
    await vault.restart()
    up.add(vault)
  }

  while (restarts.length < plan.kills) {
    await sleep(from + Math.random() * (to - from))
    if (up.size === 0) continue
    const victim = anyOf([...up])
    up.delete(victim)
    victim.kill('SIGKILL')
    restarts.push(restart(victim))
  }
  await Promise.all(restarts)
}
