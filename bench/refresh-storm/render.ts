import type { RefreshStorm } from '../refresh-storm.ts'
import { renderAim } from '../support/aims.ts'
import { renderMachine } from '../support/machine.ts'
import { summarize } from '../support/summarize.ts'
import type { CallersStorm } from './callers-storm.ts'
import type { KillStorm } from './kill-storm.ts'
import type { MassRefresh } from './mass-refresh.ts'
import type { ProviderOutage } from './provider-outage.ts'
import type { WaitingBaseline } from './waiting-baseline.ts'

/** The storm as a person reads it. */
export function renderRefreshStorm(found: RefreshStorm): string {
  const loads = Object.entries(found.load).map(([name, load]) => `${name} ${load}`)
  return [
    renderMachine(found.machine),
    `load of the machine before each: ${loads.join(', ')}`,
    '',
    ...(found.baseline ? renderBaseline(found.baseline) : []),
    ...found.callers.flatMap(renderCallers),
    ...found.massRefresh.flatMap(renderMassRefresh),
    ...found.kills.flatMap(renderKills),
    ...found.outage.flatMap(renderOutage),
    '',
    ...found.aims.map(renderAim),
  ].join('\n')
}

function renderBaseline({ callers, processes, waitMs, slowest }: WaitingBaseline): string[] {
  return [
    `${callers} callers of ${processes} bare Fastify that wait ${waitMs} ms: the slowest after ${slowest.median} ms (${slowest.min} to ${slowest.max})`,
  ]
}

function renderCallers({ storage, vaults, callers, storms }: CallersStorm): string[] {
  const slowest = storms.map(({ answeredAfter }) => Math.round(answeredAfter.max))
  const others = storms.flatMap((each) => each.others)
  const cpu = summarize(storms.map(({ vaultCpu }) => vaultCpu)).median
  return [
    `${callers} callers of ${vaults} on ${storage}: the slowest after ${slowest.join(', ')} ms; ${cpu} ms of processor time in the vaults`,
    ...(others.length > 0 ? [`  and also ${others.join(', ')}`] : []),
  ]
}

function renderMassRefresh(found: MassRefresh): string[] {
  const { grants, vaults, providerMs, seconds, refreshesPerSecond, plainPerSecond, mostAtATime } = found
  return [
    `${grants} grants due at once, ${vaults} vaults, provider of ${providerMs} ms: all after ${seconds} s, ${refreshesPerSecond} a second, ${mostAtATime} at a time; a plain client makes ${plainPerSecond}`,
  ]
}

function renderKills({
  kills,
  reuseInterval,
  grants,
  refreshes,
  reused,
  lost,
  settledAfter,
  answers,
}: KillStorm): string[] {
  const words = Object.entries(answers).map(([answer, times]) => `${times} × ${answer}`)
  const repeated = lost.filter(({ interruptions }) => interruptions.length > 1)
  const losses = repeated.map(
    ({ after, interruptions }) => `at ${interruptions.join(', ')}, refused at ${after} s`,
  )
  return [
    `${kills} kills, reuse forgiven for ${reuseInterval} s: ${refreshes} refreshes of ${grants} grants, ${reused} forgiven, ${lost.length} lost, settled after ${settledAfter} s`,
    `  callers had ${words.join(', ')}`,
    ...(losses.length > 0 ? [`  interrupted again and again: ${losses.join('; ')}`] : []),
  ]
}

function renderOutage(found: ProviderOutage): string[] {
  const { outageSeconds, faults, calls, mostCalls, answers, freshAfter, peakPerSecond, grants, lost } = found
  const words = Object.entries(answers).map(([answer, times]) => `${times} × ${answer}`)
  return [
    `provider down for ${outageSeconds} s (${faults.join(', ')}): ${calls} calls of at most ${mostCalls}; callers had ${words.join(', ')}`,
    `  back: ${grants} grants fresh after ${freshAfter} s, at most ${peakPerSecond} calls a second`,
    ...lost.map((why) => `  lost: ${why}`),
  ]
}
