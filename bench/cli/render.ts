import type { CliTimes } from '../cli.ts'
import { renderAim } from '../support/aims.ts'
import { renderMachine } from '../support/machine.ts'

export function renderCliTimes({ machine, rounds, medians, fastest, aims }: CliTimes): string {
  const row = (label: string, name: keyof typeof medians) =>
    `${label.padEnd(34)}${`${medians[name]} ms`.padStart(12)}${`${fastest[name]} ms`.padStart(12)}`
  return [
    renderMachine(machine),
    '',
    `${`of ${rounds} rounds`.padEnd(34)}${'median'.padStart(12)}${'fastest'.padStart(12)}`,
    row('node -e 0', 'node'),
    row('authconn --version', 'version'),
    row('authconn token', 'token'),
    row('completing the name of a connection', 'complete').trimEnd(),
    row('the vault, asked by a warm process', 'vault'),
    '',
    ...aims.map(renderAim),
  ].join('\n')
}
