import { stripVTControlCharacters } from 'node:util'
import { spawn } from '@lydell/node-pty'
import { expect, onTestFinished } from 'vitest'
import { compileCache } from '../../../../server/test/support/cache.ts'
import { cliPath } from './child.ts'

export interface Terminal {
  /** All that was shown, without colors and cursor movements. */
  shown(): string
  /** The same with them. */
  raw(): string
  /** What stays once all is done: without the spinner, which hides the cursor while it turns. */
  settled(): string
  /** Waits until something is shown. */
  shows(words: string | RegExp): Promise<void>
  type(keys: string): void
  /** Waits for a question, then types the answer and Enter. */
  answer(question: string | RegExp, answer: string): Promise<void>
  exitCode: Promise<number>
}

export const keys = { enter: '\r', ctrlC: '\u0003', ctrlD: '\u0004', clearLine: '\u0015' }

/** The command line as a person sees it: under a pseudo-terminal. */
export function openTerminal(args: readonly string[], env: Record<string, string>): Terminal {
  return openTerminalWith(process.execPath, [cliPath, ...args], env)
}

export function openTerminalWith(
  program: string,
  args: string[],
  env: Record<string, string>,
  { cols = 160 } = {},
): Terminal {
  const terminal = spawn(program, args, {
    cols,
    rows: 50,
    env: { PATH: process.env.PATH, TERM: 'xterm', ...compileCache, ...env },
  })
  let written = ''
  terminal.onData((data) => {
    written += data
  })
  let ended = false
  const exitCode = new Promise<number>((resolve) => {
    terminal.onExit((exit) => {
      ended = true
      resolve(exit.exitCode)
    })
  })
  onTestFinished(() => {
    if (!ended) terminal.kill('SIGKILL')
  })
  const shown = () => stripVTControlCharacters(written)
  const shows = (words: string | RegExp) => expect.poll(shown, { timeout: 15_000 }).toMatch(words)
  return {
    shown,
    raw: () => written,
    settled: () => stripVTControlCharacters(written.replaceAll(/\u001b\[\?25l[\s\S]*?\u001b\[\?25h/g, '')),
    shows,
    type: (text) => terminal.write(text),
    async answer(question, answer) {
      await shows(question)
      terminal.write(`${answer}${keys.enter}`)
    },
    exitCode,
  }
}
