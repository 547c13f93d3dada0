import { AuthconnError } from '@authconn/sdk'
import type { CommanderError } from 'commander'
import { commandTable, isGroup } from './command-table.ts'

/**
 * The parser's complaint as a usage error. It never repeats values from the command line: a mistyped flag, or a
 * secret with a space in it, would put the secret on the screen and into logs.
 */
export function explainParseError(error: CommanderError, argv: readonly string[]): AuthconnError {
  const group = error.code === 'commander.unknownCommand' ? groupOf(argv) : undefined
  return new AuthconnError('usage', wording(error), {
    hint: group
      ? `authconn ${group.name} has: ${group.commands.map(({ name }) => name).join(', ')}.`
      : 'Run the command with --help for its flags and examples.',
  })
}

/** Of which something was wanted that it does not have. */
function groupOf(argv: readonly string[]) {
  return commandTable.filter(isGroup).find(({ name }) => argv.find((word) => !word.startsWith('-')) === name)
}

function wording(error: CommanderError): string {
  switch (error.code) {
    case 'commander.help':
      return 'No command was given.'
    case 'commander.excessArguments':
      return 'There are too many arguments; a value that holds spaces needs quotes.'
    case 'commander.unknownCommand':
      // What is near to a command is no secret; a value whose flag was forgotten may be one.
      return error.message.includes('(Did you mean') ? sentence(error.message) : 'There is no such command.'
    case 'commander.unknownOption':
      return sentence(error.message.replace(/'.*'(?=\n\(Did you mean|$)/s, (flag) => withoutValue(flag)))
    default:
      return sentence(error.message)
  }
}

/** `'--name=value'` → `'--name'`, `'-nvalue'` → `'-n'` */
function withoutValue(flag: string): string {
  return `'${(flag.startsWith("'--") ? /^[^=]*/ : /^../).exec(flag.slice(1, -1))?.[0] ?? ''}'`
}

function sentence(message: string): string {
  const words = message.replace(/^error: /, '').replace(/\n(?=\(Did you mean)/, ' ')
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}
