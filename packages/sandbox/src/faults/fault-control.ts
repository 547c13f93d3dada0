import type { Endpoint } from '../http/endpoints.ts'
import type { FaultOptions } from './fault-options.ts'
import { findFaultProblem } from './find-fault-problem.ts'
import type { FaultKindName } from './kinds.ts'

export interface Fault extends FaultOptions {
  kind: FaultKindName
}

export interface FaultLimits {
  /** How often it strikes; without it, until it is cleared. */
  times?: number
  /** At the token endpoint: strikes only requests of this grant type. */
  grantType?: string
}

/** A fault at an endpoint; `times` is what is left. */
export type ActiveFault = { endpoint: Endpoint } & Fault & FaultLimits

export interface FaultControl {
  /** Puts a fault in the place of the one the endpoint had. Throws InvalidFaultError. */
  set(endpoint: Endpoint, fault: Fault, limits?: FaultLimits): void
  /** Takes the fault off an endpoint, or all of them, and lets go of the requests they hold. */
  clear(endpoint?: Endpoint): void
  list(): ActiveFault[]
}

/** The fault does not exist, or not there, or not with these options. */
export class InvalidFaultError extends Error {
  override name = 'InvalidFaultError'
}

/** A fault as the request that meets it sees it. */
export interface MetFault {
  fault: Fault
  released: AbortSignal
  /** Counts a strike; false when others used up the last one meanwhile. */
  strike(): boolean
}

interface Slot {
  active?: ActiveFault
  release: AbortController
}

export function createFaultControl(): FaultControl & {
  find(endpoint: Endpoint, grantType?: string): MetFault | undefined
} {
  const slots = new Map<Endpoint, Slot>()

  function clear(endpoint?: Endpoint) {
    for (const [name, slot] of slots) {
      if (endpoint !== undefined && endpoint !== name) continue
      slots.delete(name)
      slot.release.abort()
    }
  }

  return {
    clear,
    set(endpoint, fault, limits = {}) {
      const active = { endpoint, ...fault, ...limits }
      const problem = findFaultProblem(active)
      if (problem) throw new InvalidFaultError(problem)
      clear(endpoint)
      slots.set(endpoint, { active, release: new AbortController() })
    },
    list: () => [...slots.values()].flatMap(({ active }) => (active ? [{ ...active }] : [])),
    find(endpoint, grantType) {
      const slot = slots.get(endpoint)
      const active = slot?.active
      if (!slot || !active) return undefined
      if (active.grantType !== undefined && active.grantType !== grantType) return undefined
      return { fault: active, released: slot.release.signal, strike: () => strike(slot, active) }
    },
  }
}

/** A used-up fault keeps its slot: clearing it must still release the requests it holds. */
function strike(slot: Slot, active: ActiveFault): boolean {
  if (slot.active !== active) return false
  if (active.times === undefined) return true
  active.times -= 1
  if (active.times === 0) delete slot.active
  return true
}
