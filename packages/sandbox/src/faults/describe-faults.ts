import type { Endpoint } from '../http/endpoints.ts'
import type { FaultKind } from './fault-kind.ts'
import { optionRules } from './fault-options.ts'
import { allowedOptions } from './find-fault-problem.ts'
import { type FaultKindName, faultKindNames, faultKinds } from './kinds.ts'

export interface FaultDescription {
  kind: FaultKindName
  about: string
  endpoints: readonly Endpoint[]
  /** What it can be told besides `times` and `grantType`, in words. */
  options: Record<string, string>
}

/** The documentation of every kind, from the table that makes them work. */
export function describeFaults(): FaultDescription[] {
  return faultKindNames.map((kind) => {
    const { about, endpoints }: FaultKind = faultKinds[kind]
    const options = allowedOptions(kind).map((name) => [name, optionRules[name].about])
    return { kind, about, endpoints, options: Object.fromEntries(options) }
  })
}
