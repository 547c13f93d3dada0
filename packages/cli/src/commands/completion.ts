import { AuthconnError } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { completionScripts, type Shell, shells } from '../completion/scripts.ts'

export const completion = defineCommand({
  description:
    'It completes commands, flags and their values, and the names of connections where a vault and a key are known; it waits for them a second at most, and is silent when there are none.',
  operand: { label: 'shell', help: `one of ${shells.join(', ')}`, choices: shells },
  flags: {},
  examples: [
    ['source <(authconn completion bash)', 'in ~/.bashrc'],
    ['eval "$(authconn completion bash)"', 'the same for the bash of macOS, which cannot source that'],
    ['source <(authconn completion zsh)', 'in ~/.zshrc, after compinit'],
    ['authconn completion fish > ~/.config/fish/completions/authconn.fish', 'once'],
  ],

  async run(_ctx, _flags, operands): Promise<{ shell: Shell; script: string }> {
    const shell = shells.find((each) => each === operands[0])
    if (shell === undefined) throw new AuthconnError('usage', `Name the shell: ${shells.join(', ')}.`)
    return { shell, script: completionScripts[shell] }
  },

  render: ({ script }) => script,
})
