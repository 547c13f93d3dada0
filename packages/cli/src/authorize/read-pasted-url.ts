import { createInterface } from 'node:readline'
import type { Context } from '../context.ts'
import { matchCallback } from './match-callback.ts'

/**
 * The redirected URL as a line of standard input, for a browser on another machine. A wrong line is told and the next
 * one awaited; at the end of the input nothing comes any more, and only the browser can.
 */
export function readPastedUrl(
  ctx: Pick<Context, 'stdin' | 'stderr' | 'warn' | 'interrupt'>,
  expected: { redirectUri: string; state: string },
  over: AbortSignal,
): Promise<string> {
  const { stdin, stderr } = ctx
  // A terminal hands over no more than 1024 (macOS) or 4096 (Linux) characters of a line unless a program edits it.
  const editing = stdin.isTTY === true && stderr.isTTY === true
  const lines = createInterface(
    editing
      ? { input: stdin, output: stderr, terminal: true, historySize: 0, prompt: '' }
      : { input: stdin, terminal: false },
  )
  // Then Ctrl-C is a character, too.
  lines.on('SIGINT', () => ctx.interrupt('Stopped by Ctrl-C.'))
  over.addEventListener('abort', () => lines.close(), { once: true })
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const pasted = line.trim().replace(/^(["'<])(.*)["'>]$/, '$2')
      if (pasted === '' || over.aborted) return
      const match = matchCallback(pasted, expected)
      if (match.genuine) resolve(match.redirectedUrl)
      else ctx.warn(`what was pasted does not help. ${match.reason} Still waiting.`)
    })
  })
}
