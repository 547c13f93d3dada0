import type { Command as CommanderCommand } from 'commander'
import type { Context } from './context.ts'
import type { Flags, FlagValues } from './flags.ts'
import type { View } from './output/view.ts'

/** What a command is to the help and to the parser, besides its name and summary in the table. */
export interface CommandData {
  /** Further paragraphs for its help. */
  description?: string
  operand?: { label: string; help: string; several?: true; choices?: readonly string[] }
  flags: Flags
  /** Words that its flags take, and what they mean. */
  terms?: { heading: string; meanings: Readonly<Record<string, string>> }
  /** What its exit codes mean beyond what they mean for all commands. */
  exits?: Readonly<Record<number, string>>
  /** Command lines, and what each does. */
  examples: readonly (readonly [line: string, does: string])[]
}

/** A command is data, one function, and how its result is worded. */
export interface CommandDefinition<F extends Flags, R> extends CommandData {
  flags: F
  /** undefined: what there was to print has been printed as it came. */
  run(ctx: Context, flags: FlagValues<F>, operands: readonly string[]): Promise<R | undefined>
  /** For stdout, without the last line break. */
  render(result: R, view: View): string
  /** What --json prints, where that is not the result itself. */
  json?(result: R): unknown
  /** Of the result only the exit code counts: another program has printed what there was to print. */
  silent?: true
  /** What to type next, for stderr. */
  next?(result: R): string | undefined
  /** The exit code, where a result is no success though it was come by without an error. */
  exitCode?(result: R): number
}

export interface Command extends CommandData {
  execute(ctx: Context, parsed: CommanderCommand): Promise<CommandResult | undefined>
}

export interface CommandResult {
  data: unknown
  silent: boolean
  words(view: View): string
  next(): string | undefined
  exitCode: number
}

/** Binds the types of a definition, so that commands with different flags and results fit one table. */
export function defineCommand<const F extends Flags, R>(definition: CommandDefinition<F, R>): Command {
  return {
    ...definition,
    async execute(ctx, parsed) {
      const data = await definition.run(ctx, parsed.opts<FlagValues<F>>(), parsed.args)
      if (data === undefined) return undefined
      return {
        data: definition.json ? definition.json(data) : data,
        silent: definition.silent === true,
        words: (view) => definition.render(data, view),
        next: () => definition.next?.(data),
        exitCode: definition.exitCode?.(data) ?? 0,
      }
    },
  }
}
