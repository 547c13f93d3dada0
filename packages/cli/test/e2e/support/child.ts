import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { noteEnd } from '../../../../../test/support/provoked-errors.ts'
import { compileCache } from '../../../../server/test/support/cache.ts'

export const cliPath = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))
export const vaultPath = fileURLToPath(new URL('../../../../server/src/main.ts', import.meta.url))

export interface Child {
  process: ChildProcess
  stdout(): string
  stderr(): string
  ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>
}

/** A program of this project as a process of its own, with no more of the environment than given. */
export function startChild(script: string, args: readonly string[], env: Record<string, string>): Child {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env.PATH, ...compileCache, ...env },
  })
  const written = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    written.stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    written.stderr += String(chunk)
  })
  const ended = once(child, 'close').then(([exitCode, signal]) => {
    // It is not known here who answers.
    if (script === cliPath && signal === null) noteEnd({ exitCode, stderr: written.stderr }, 'played')
    return { exitCode, signal }
  })
  return { process: child, stdout: () => written.stdout, stderr: () => written.stderr, ended }
}

/** Ends it, by force when it does not end by itself. */
export async function stopChild({ process: child, ended }: Child): Promise<void> {
  child.kill('SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(force)
}
