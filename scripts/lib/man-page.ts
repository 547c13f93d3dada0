import type { Command } from '../../packages/cli/src/command.ts'
import { type CommandEntry, commandTable, isGroup } from '../../packages/cli/src/command-table.ts'
import { type Flag, kebab } from '../../packages/cli/src/flags.ts'
import { environment, exitMeanings, exitsOf } from '../../packages/cli/src/help-text.ts'
import { buildProgram } from '../../packages/cli/src/program.ts'
import { version } from '../../packages/cli/src/version.ts'

/** authconn(1), from what the help is made of: a section for each command. In the macros of man(7). */
export async function manPage(): Promise<string> {
  const program = await buildProgram([], {
    json: false,
    writeOut: () => {},
    writeErr: () => {},
    perform: async () => {},
  })
  const commands = commandTable.flatMap((entry) =>
    isGroup(entry)
      ? entry.commands.map((member) => ({ words: `${entry.name} ${member.name}`, entry: member }))
      : [{ words: entry.name, entry }],
  )
  const sections = await Promise.all(commands.map(({ words, entry }) => commandSection(words, entry)))
  return [
    `.TH AUTHCONN 1 "" "authconn ${version()}" "User Commands"`,
    '.SH NAME',
    text(`authconn - ${lowerFirst(program.description()).replace(/\.$/, '')}`),
    '.SH SYNOPSIS',
    `.B authconn\n.I command\n${text('[arguments] [options]')}`,
    '.SH GLOBAL OPTIONS',
    ...program.options.map((option) => item(option.flags, option.description)),
    '.SH COMMANDS',
    text(
      'The commands about connections are also found in the long form, authconn workspace authconnection COMMAND.',
    ),
    ...sections,
    '.SH ENVIRONMENT',
    ...Object.entries(environment).map(([name, meaning]) => item(name, meaning)),
    '.SH EXIT STATUS',
    ...exitMeanings().map(([code, meaning]) => item(code, meaning)),
    '',
  ].join('\n')
}

async function commandSection(words: string, entry: CommandEntry): Promise<string> {
  const { description, operand, flags, terms, exits, examples }: Command = await entry.load()
  const label = operand ? ` [${operand.label}${operand.several ? '...' : ''}]` : ''
  return [
    `.SS "${escaped(`authconn ${words}${label} [options]`)}"`,
    text(`${entry.summary}.`),
    ...(description ? ['.PP', text(description)] : []),
    ...(operand ? [item(operand.label, operand.help)] : []),
    ...Object.entries(flags).map(([key, flag]) => item(flagWords(key, flag), flagHelp(flag))),
    ...(terms ? ['.PP', text(`${terms.heading}:`)] : []),
    ...Object.entries(terms?.meanings ?? {}).map(([term, meaning]) => item(term, meaning)),
    '.PP',
    'Examples:',
    ...examples.map(([line, does]) => `.PP\n${text(`${does}:`)}\n.RS\n.nf\n${text(line)}\n.fi\n.RE`),
    '.PP',
    'Exit status:',
    ...exitsOf(exits).map(([code, meaning]) => item(code, meaning)),
  ].join('\n')
}

function flagWords(key: string, { value, negated }: Flag<unknown>): string {
  return `--${negated ? 'no-' : ''}${kebab(key)}${value ? ` ${value}` : ''}`
}

function flagHelp({ help, fallback }: Flag<unknown>): string {
  return fallback === undefined
    ? help
    : `${help} (default: ${Array.isArray(fallback) ? fallback.join(',') : fallback})`
}

const item = (term: string, meaning: string) => `.TP\n.B ${escaped(term)}\n${text(meaning)}`

/** As it is: a line of ours that begins with a dot or an apostrophe is no request to the formatter. */
const text = (words: string) => escaped(words).replaceAll(/^(?=[.'])/gm, '\\&')

const escaped = (words: string) =>
  words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll('…', '...')
    .replaceAll('–', '\\(en')

const lowerFirst = (words: string) => `${words.charAt(0).toLowerCase()}${words.slice(1)}`
