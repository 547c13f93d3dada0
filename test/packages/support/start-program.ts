import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathWith } from './install.ts'

export interface Program {
  child: ChildProcess
  stdout(): string
  stderr(): string
  ended: Promise<number | null>
}

/** Starts what npm has put into `node_modules/.bin` of a folder, which starts the first `node` of its PATH. */
export function startProgram(
  folder: string,
  [name = '', ...args]: readonly string[],
  node: string,
  env: Record<string, string>,
): Program {
  const windows = process.platform === 'win32'
  const program = join(folder, 'node_modules/.bin', windows ? `${name}.cmd` : name)
  const child = spawn(program, args, { env: { PATH: pathWith(node), ...env }, shell: windows })
  child.stdin.end()
  const written = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    written.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    written.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => code)
  return { child, stdout: () => written.stdout, stderr: () => written.stderr, ended }
}
