import type { Readable, Writable } from 'node:stream'
import { exitCodes } from '@authconn/shared/errors'
import { type Command as CommanderCommand, CommanderError } from 'commander'
import type { Command } from './command.ts'
import { type Context, createContext } from './context.ts'
import { explainParseError } from './explain-parse-error.ts'
import { reportError } from './output/report-error.ts'
import { toJson } from './output/to-json.ts'
import { viewFor } from './output/view.ts'
import type { OpenKeychain } from './profiles/profile-key.ts'
import { buildProgram } from './program.ts'

/** What the command line is given from outside. */
export interface Io {
  stdin: Readable & { isTTY?: boolean }
  /** `columns`: the width of a terminal, undefined for anything else. */
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: Writable & { isTTY?: boolean }
  env: Readonly<Record<string, string | undefined>>
  /** Aborted, with the error to end in, when the person or the system wants the command to stop. */
  signal: AbortSignal
  /** Does that. */
  interrupt: (detail: string) => void
  openKeychain: OpenKeychain
}

/** Runs one command line to its end. Resolves to the exit code; every error has been told by then. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const json = wantsJson(argv)
  let connection: string | undefined
  let exitCode = 0
  try {
    const program = await buildProgram(argv, {
      json,
      writeOut: (words) => io.stdout.write(words),
      writeErr: (words) => !json && io.stderr.write(words),
      async perform(command, parsed) {
        connection = connectionOf(command, parsed)
        const ctx = contextOf(parsed, io)
        exitCode = await perform(command, parsed, ctx).catch(async (error: unknown) => {
          const { suggestName } = await import('./suggest-name.ts')
          throw await suggestName(error, connection, ctx)
        })
      },
    })
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, io, json, connection)
    // Help or the version was printed because it was asked for, or help because no command was named.
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help' && !json) return exitCodes.usage
    return reportError(explainParseError(error, argv), io, json)
  }
}

/** Known before the arguments are parsed, since not being able to parse them is told as JSON too. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json')
}

/** The connection that the command line names, if it does. */
function connectionOf({ operand }: Command, parsed: CommanderCommand): string | undefined {
  if (operand?.label !== 'name') return undefined
  return parsed.args[0] ?? parsed.opts<{ name?: string }>().name
}

function contextOf(parsed: CommanderCommand, io: Io): Context {
  const { json = false, quiet = false, vaultUrl, profile } = parsed.optsWithGlobals<GlobalFlags>()
  return createContext(io, { json, quiet, vaultUrl, profile })
}

interface GlobalFlags {
  json?: boolean
  quiet?: boolean
  vaultUrl?: string
  profile?: string
}

async function perform(command: Command, parsed: CommanderCommand, ctx: Context): Promise<number> {
  const { json, stdout } = ctx
  const result = await command.execute(ctx, parsed)
  if (result === undefined) return 0
  if (result.silent) return result.exitCode
  if (json) {
    stdout.write(`${toJson(result.data)}\n`)
    return result.exitCode
  }
  stdout.write(`${result.words(viewFor(ctx))}\n`)
  const next = result.next()
  if (next !== undefined) ctx.say(next)
  return result.exitCode
}
