import type { Command } from 'commander'
import type { Config } from './config/load-config.ts'
import type { RunKeys } from './run-keys.ts'

interface KeysCommand {
  name: keyof RunKeys
  description: string
  options?: { flags: string; description: string; fallback?: string }[]
}

const commands: readonly KeysCommand[] = [
  { name: 'status', description: 'Which key wraps and seals how much, and what a rotation has left to do.' },
  {
    name: 'rotate-kek',
    description: 'Wrap every data key with the current key-encryption key. Give the former ones beside it.',
  },
  {
    name: 'rotate-data-keys',
    description: 'Give each workspace a new data key, with which everything is sealed from then on.',
    options: [
      { flags: '--workspace <name>', description: 'only this workspace' },
      {
        flags: '--older-than <seconds>',
        description:
          'leave data keys alone that are younger, so that a run that was ended can be run again; 0 rotates all',
        fallback: '3600',
      },
    ],
  },
  { name: 'reseal', description: 'Seal what is sealed with a former data key again, with the newest.' },
  {
    name: 'verify',
    description: 'Open every sealed value, and say which do not open. Exits with 1 when there is one.',
  },
]

/**
 * `authconn-server keys …`: all of them while vaults run, on the embedded database while it is stopped; may be ended at any
 * moment and run again, also in several places at once.
 */
export function addKeysCommands(
  program: Command,
  withSettings: (command: Command) => Command,
  configOf: (flags: Record<string, string>) => Config,
): void {
  const keys = program
    .command('keys')
    .description('Look after the keys, while vaults run. On the embedded database the vault must be stopped.')
  for (const { name, description, options = [] } of commands) {
    const command = withSettings(keys.command(name)).description(description)
    for (const option of options) command.option(option.flags, option.description, option.fallback)
    command.option('--json', 'print the result as JSON').action(async (flags: Record<string, string>) => {
      const { runKeys } = await import('./run-keys.ts')
      const { text, data, isWell } = await runKeys(name, configOf(flags), flags)
      process.stdout.write(flags.json ? `${JSON.stringify(data, null, 2)}\n` : `${text}\n`)
      if (!isWell) process.exitCode = 1
    })
  }
}
