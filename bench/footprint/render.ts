import type { Footprint } from '../footprint.ts'
import { renderAim } from '../support/aims.ts'
import { renderMachine } from '../support/machine.ts'
import type { Measurements } from './subjects.ts'

/** The measurements as a person reads them. */
export function renderFootprint({
  machine,
  installation,
  onPostgres,
  onPglite,
  bareFastify,
  aims,
}: Footprint): string {
  const columns = [onPostgres, onPglite, bareFastify]
  const row = (label: string, value: (found: Measurements) => string | undefined) =>
    [label.padEnd(26), ...columns.map((found) => (value(found) ?? '–').padStart(16))].join('')
  return [
    renderMachine(machine),
    '',
    [
      'median'.padEnd(26),
      ...['on PostgreSQL', 'on PGlite', 'bare Fastify+pg'].map((name) => name.padStart(16)),
    ].join(''),
    row('first start until ready', ({ firstStartMs }) => firstStartMs && `${firstStartMs.median} ms`),
    row('later start until ready', ({ laterStartMs }) => `${laterStartMs.median} ms`),
    row('idle memory', ({ idleMb }) => `${idleMb.median} MB`),
    row('memory after a burst', ({ loadedMb }) => `${loadedMb} MB`),
    '',
    `production install: ${installation.packages} packages, ${installation.megabytes} MB`,
    '',
    ...aims.map(renderAim),
  ].join('\n')
}
