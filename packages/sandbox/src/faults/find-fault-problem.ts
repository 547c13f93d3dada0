import { type Endpoint, endpointNames } from '../http/endpoints.ts'
import type { FaultKind } from './fault-kind.ts'
import { findOptionProblem } from './fault-options.ts'
import { type FaultKindName, faultKindNames, faultKinds } from './kinds.ts'

/** What is wrong with a fault, in words for the person who set it, or undefined when nothing is. */
export function findFaultProblem(given: object): string | undefined {
  const { endpoint, kind, times, grantType, ...options } = given as Record<string, unknown>

  if (!isEndpoint(endpoint)) return `Unknown endpoint ${quote(endpoint)}. Endpoints: ${endpointNames.join(', ')}`
  if (!isKind(kind)) return `Unknown kind ${quote(kind)}. Kinds: ${faultKindNames.join(', ')}`
  const rule: FaultKind = faultKinds[kind]
  if (!rule.endpoints.includes(endpoint)) {
    return `"${kind}" makes no sense at ${endpoint}, only at: ${rule.endpoints.join(', ')}`
  }
  if (times !== undefined && !(Number.isSafeInteger(times) && Number(times) > 0)) {
    return '"times" must be a whole number above 0'
  }
  if (grantType !== undefined && (endpoint !== 'token' || typeof grantType !== 'string')) {
    return '"grantType" must be a string, and is for the token endpoint only'
  }
  return findOptionProblem(kind, allowedOptions(kind), options)
}

export function allowedOptions(kind: FaultKindName) {
  const rule: FaultKind = faultKinds[kind]
  return 'act' in rule ? ([...rule.options, 'processed'] as const) : rule.options
}

function isEndpoint(value: unknown): value is Endpoint {
  return endpointNames.some((name) => name === value)
}

function isKind(value: unknown): value is FaultKindName {
  return faultKindNames.some((name) => name === value)
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined'
}
