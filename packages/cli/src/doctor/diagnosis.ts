import type { Check } from './check.ts'
import type { Explanation } from './oauth-errors.ts'

export interface Diagnosis {
  /** Nothing failed. */
  ok: boolean
  checks: Check[]
  explanations: Explanation[]
}
