import { renderAim } from '../support/aims.ts'
import { type machine, renderMachine } from '../support/machine.ts'
import type { Rotation } from './rotate-under-load.ts'

export function renderRotation(data: Rotation & { machine: ReturnType<typeof machine> }): string {
  const { plan, killed, took, values, keys, writes, fetched, aims } = data
  return [
    renderMachine(data.machine),
    `${plan.grants} grants, ${values} sealed values, ${keys} data keys after it; ${fetched.fetches} fetches from ${plan.vaults} vaults and ${writes} writes meanwhile`,
    '',
    ...Object.entries(killed).map(
      ([name, { before, after }]) =>
        `${name.padEnd(18)}killed with ${after} of ${before} left; two runs to the end took ${((took[name] ?? 0) / 1000).toFixed(1)} s`,
    ),
    '',
    ...Object.entries(fetched.latency).map(
      ([name, { p50, p99, max, count }]) =>
        `fetches during ${name.padEnd(18)}${String(count).padStart(8)}   p50 ${p50} ms   p99 ${p99} ms   longest ${max} ms`,
    ),
    ...(fetched.example === undefined ? [] : ['', fetched.example]),
    '',
    ...aims.map(renderAim),
  ].join('\n')
}
