import type { BoundClaim } from '@authconn/shared'
import { matches } from '../callers/permissions.ts'
import { patternClaims } from './presets.ts'

/** The first bound claim that does not hold of the claims of a token; undefined when all do. */
export function findUnfitClaim(
  bound: readonly BoundClaim[],
  claims: Readonly<Record<string, unknown>>,
): string | undefined {
  return bound.find(({ claim, values }) => !holds(claim, values, readClaim(claims, claim)))?.claim
}

/** A claim by its name, or by a JSON Pointer (RFC 6901) to one inside another. */
export function readClaim(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (!name.startsWith('/')) return own(claims, name)
  const steps = name.slice(1).split('/')
  return steps.reduce<unknown>(
    (value, step) => own(value, step.replaceAll('~1', '/').replaceAll('~0', '~')),
    claims,
  )
}

/**
 * What a claim is compared as; undefined for what has no one spelling. A number that JSON cannot hold exactly has several,
 * so that two accounts could be taken for one.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value)
  return undefined
}

function holds(claim: string, values: readonly string[], found: unknown): boolean {
  const given = Array.isArray(found) ? found : [found]
  return given.some((each) => {
    const text = textOf(each)
    return text !== undefined && values.some((value) => fits(claim, value, text))
  })
}

function fits(claim: string, value: string, text: string): boolean {
  return value.includes('*') && patternClaims.includes(claim) ? matches(value, text) : value === text
}

/** Of objects only: an array has no claims inside, and nothing has what all objects inherit. */
function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
}
