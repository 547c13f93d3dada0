import { findProgram } from '../../../packages/server/test/support/find-program.ts'

/** Why the documentation cannot be executed on this machine; empty where it can. */
export function missingPrograms(): string {
  const wanted = ['bash', 'curl', 'jq', 'openssl', 'timeout']
  const missing = wanted.filter((name) => findProgram(name) === undefined)
  return missing.length === 0 ? '' : `the documentation uses ${missing.join(', ')}, which this machine has not`
}
