import { Command as CommanderCommand, Option } from 'commander'
import type { Command, CommandData } from './command.ts'
import { type CommandEntry, commandTable, isGroup, type TableEntry } from './command-table.ts'
import { type Flag, kebab } from './flags.ts'
import { commandHelp, groupHelp, programHelp } from './help-text.ts'
import { toJson } from './output/to-json.ts'
import { version, versionDetails } from './version.ts'

export interface ProgramOptions {
  json: boolean
  /** Where help goes that was asked for, and help that is shown because no command was named. */
  writeOut(words: string): void
  writeErr(words: string): void
  perform(command: Command, parsed: CommanderCommand): Promise<void>
}

/** The parser for a command line. Only the commands that it names are loaded in full; the others are a line of help. */
export async function buildProgram(argv: readonly string[], options: ProgramOptions): Promise<CommanderCommand> {
  const loaded = await loadNamed(argv)

  const program = new CommanderCommand('authconn')
    .description('Create and authorize OAuth connections, and fetch their tokens.')
    .version(options.json ? toJson(versionDetails()) : version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('--json', 'print the result as JSON on stdout, and everything else as JSON lines on stderr')
    .option('--vault-url <URL>', 'where the vault is, instead of AUTHCONN_URL')
    .option(
      '--profile <NAME>',
      'the vault and key kept under that name by authconn login, instead of AUTHCONN_PROFILE',
    )
    .option('-q, --quiet', 'print the result, warnings and errors, and nothing else')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: options.writeOut,
      writeErr: options.writeErr,
      // Told by the error boundary, with the others.
      outputError: () => {},
    })
    .helpCommand(false)
    .addHelpText('after', programHelp)

  const add = (parent: CommanderCommand, entry: TableEntry) => {
    const child = parent.command(entry.name).summary(entry.summary).helpOption('-h, --help', 'print help')
    if (isGroup(entry)) {
      child.description(`${entry.summary}.`).helpCommand(false).addHelpText('after', groupHelp(entry.name))
      for (const member of entry.commands) add(child, member)
      return
    }
    const command = loaded.get(entry)
    if (command) describe(child, entry, command).action(() => options.perform(command, child))
  }
  for (const entry of commandTable) add(program, entry)

  const longForm = program
    .command('workspace')
    .helpCommand(false)
    .summary('the long form of the same: authconn workspace authconnection create …')
    .command('authconnection')
    .helpCommand(false)
    .summary('connections')
  for (const entry of commandTable) if (!isGroup(entry) && entry.ofConnections) add(longForm, entry)
  return program
}

/** Those whose names are anywhere in the command line: rather one too many than to parse twice. */
async function loadNamed(argv: readonly string[]): Promise<Map<CommandEntry, Command>> {
  const loaded = new Map<CommandEntry, Command>()
  const named = commandTable.filter(({ name }) => argv.includes(name))
  for (const entry of named.flatMap((found) => (isGroup(found) ? found.commands : [found]))) {
    if (argv.includes(entry.name)) loaded.set(entry, await entry.load())
  }
  return loaded
}

function describe(child: CommanderCommand, { summary }: CommandEntry, command: CommandData): CommanderCommand {
  child.description([`${summary}.`, command.description].filter(Boolean).join('\n\n'))
  if (command.operand) {
    child.argument(`[${command.operand.label}${command.operand.several ? '...' : ''}]`, command.operand.help)
  }
  for (const [key, flag] of Object.entries(command.flags)) child.addOption(toOption(key, flag))
  return child.addHelpText('after', commandHelp(command))
}

function toOption(key: string, flag: Flag<unknown>): Option {
  const name = `--${flag.negated ? 'no-' : ''}${kebab(key)}`
  const option = new Option(flag.value ? `${name} <${flag.value}>` : name, flag.help)
  if (flag.fallback !== undefined) {
    option.default(flag.fallback, Array.isArray(flag.fallback) ? flag.fallback.join(',') : String(flag.fallback))
  }
  if (flag.parse) option.argParser((given, before: unknown) => flag.parse?.(given, name, before))
  return option
}
