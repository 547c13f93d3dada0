import { type Aim, renderAim } from '../../../bench/support/aims.ts'

/** The aims that a scenario missed, in words. */
export function missed({ aims }: { aims: Aim[] }): string[] {
  return aims.filter(({ pass }) => !pass).map(renderAim)
}
