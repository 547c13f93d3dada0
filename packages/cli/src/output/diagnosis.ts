import type { Diagnosis } from '../doctor/diagnosis.ts'
import { fold } from './fold.ts'
import { plainLine } from './plain.ts'
import type { View } from './view.ts'

/** Each check with a sign before it, what to do under those that need it, then what the errors mean. */
export function describeDiagnosis({ ok, checks, explanations }: Diagnosis, view: View): string {
  const { paint } = view
  const signs = {
    ok: paint.green('ok      '),
    warning: paint.yellow('warning '),
    failed: paint.red('FAILED  '),
    skipped: paint.dim('skipped '),
  }
  const lines = checks.flatMap(({ name, status, detail, hint }) => [
    `${signs[status]}${indented(`${name}: ${detail}`, 8, view)}`,
    ...(hint === undefined || status === 'ok' ? [] : [`        ${indented(hint, 8, view)}`]),
  ])
  const meanings = explanations.flatMap(({ error, means, steps }) => [
    '',
    paint.bold(`${error}: ${means}.`),
    ...steps.map((step, at) => `  ${at + 1}. ${indented(step, 5, view)}`),
  ])
  return [...lines, ...meanings, '', ok ? 'Nothing failed.' : paint.red('Something failed: see above.')].join('\n')
}

function indented(text: string, by: number, { width }: View): string {
  return fold(plainLine(text), width === undefined ? undefined : width - by).join(`\n${' '.repeat(by)}`)
}
