import { AuthconnError } from '@authconn/sdk'
import type { Command as CommanderCommand } from 'commander'
import { defineCommand } from '../command.ts'
import { buildProgram } from '../program.ts'

export const help = defineCommand({
  operand: { label: 'command', help: 'the command; all of them when left out', several: true },
  flags: {},
  examples: [
    ['authconn help', 'all commands'],
    ['authconn help authorize', 'the flags and examples of one'],
  ],

  async run(_ctx, _flags, operands): Promise<{ help: string }> {
    let printed = ''
    const program = await buildProgram(operands, {
      json: false,
      writeOut: (words) => {
        printed += words
      },
      writeErr: () => {},
      perform: async () => {},
    })
    const command = await find(program, operands)
    command.outputHelp()
    return { help: printed.trimEnd() }
  },

  render: (result) => result.help,
})

async function find(program: CommanderCommand, names: readonly string[]): Promise<CommanderCommand> {
  let command = program
  for (const name of names) {
    const found = command.commands.find((candidate) => candidate.name() === name)
    if (found === undefined) {
      // The parser's complaint about it comes with a suggestion.
      await program.parseAsync(names, { from: 'user' })
      throw new AuthconnError('usage', 'There is no such command.')
    }
    command = found
  }
  return command
}
