#!/usr/bin/env node
import { errorTable } from '@authconn/shared/errors'
import { Command, CommanderError } from 'commander'
import { type Config, loadConfig } from './config/load-config.ts'
import { type SettingName, settings } from './config/settings.ts'
import { AuthconnError } from './core/errors.ts'
import { describeCrash, secretsOf } from './describe-crash.ts'
import { closeDiagnostics, refuseInspection } from './guard-memory.ts'
import { addKeysCommands } from './keys-commands.ts'
import { commandOutput, createLogger } from './logger.ts'
import { version } from './version.ts'

closeDiagnostics()
process.on('uncaughtException', crash)

/** Once it is read: whatever ends the process after that is told without its secrets. */
let config: Config | undefined

const flagged = [...settings].filter((setting) => 'flag' in setting)

const program = new Command('authconn-server')
  .description(
    'The authconn vault: keeps OAuth client secrets and tokens sealed, keeps tokens fresh, serves them.',
  )
  .version(version)
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text) })
  .addHelpText('after', `\nSettings, from the environment (a flag wins):\n${settingsHelp()}`)

withSettings(program.command('start'))
  .description('Serve. Stops on SIGTERM or SIGINT, finishing what is in flight.')
  .action(async (flags) => {
    const { startVault } = await import('./start-vault.ts')
    const config = configOf(flags)
    process.off('uncaughtException', crash)
    await startVault(config)
  })

withSettings(program.command('migrate'))
  .description('Run the missing database migrations and exit. Safe to run from several places at once.')
  .action(async (flags) => {
    const { migrateOnly } = await import('./migrate-only.ts')
    const config = configOf(flags)
    const ran = await migrateOnly(config, createLogger(config.logLevel, commandOutput(1)))
    process.stdout.write(ran.length > 0 ? `Migrated: ${ran.join(', ')}\n` : 'Nothing to migrate\n')
  })

withSettings(program.command('admin-key'))
  .description(
    'Make a new administrator, for when the API key of the last one is lost. Needs the key-encryption key. On the embedded database the vault must be stopped.',
  )
  .action(async (flags) => {
    const [{ makeAdminKey }, { showAdminKey }] = await Promise.all([
      import('./make-admin-key.ts'),
      import('./show-key.ts'),
    ])
    const config = configOf(flags)
    const { name, key } = await makeAdminKey(config, createLogger(config.logLevel, commandOutput(1)))
    process.stdout.write(`Made the administrator ${name}\n`)
    showAdminKey(key, config.dataDirectory)
  })

withSettings(program.command('operator-key'))
  .description(
    'Make a new operator, who makes workspaces and sees nothing inside them. Needs the key-encryption key. On the embedded database the vault must be stopped.',
  )
  .action(async (flags) => {
    const [{ makeOperatorKey }, { showOperatorKey }] = await Promise.all([
      import('./make-operator-key.ts'),
      import('./show-key.ts'),
    ])
    const config = configOf(flags)
    const { name, key } = await makeOperatorKey(config, createLogger(config.logLevel, commandOutput(1)))
    process.stdout.write(`Made the operator ${name}\n`)
    showOperatorKey(key, config.dataDirectory)
  })

addKeysCommands(program, withSettings, configOf)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

function withSettings(command: Command): Command {
  for (const setting of flagged) command.option(setting.flag, setting.description)
  return command.exitOverride()
}

/** Throws setting_invalid, inspection_refused. */
function configOf(flags: Record<string, string>): Config {
  config = loadConfig({ ...process.env, ...environmentOf(flags) })
  refuseInspection(config.allowInspect)
  return config
}

function environmentOf(flags: Record<string, string>): Partial<Record<SettingName, string>> {
  const given = flagged.map(({ name, flag }) => {
    const option = flag.slice(2).split(' ', 1)[0] ?? ''
    return [name, flags[option.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())]]
  })
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

function settingsHelp(): string {
  return settings
    .map(
      ({ name, description, default: fallback }) =>
        `\n  ${name}\n      ${description}\n      Default: ${fallback}`,
    )
    .join('\n')
}

/** Words for people on standard error; the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof AuthconnError) {
    const { title, hint, kind } = errorTable[error.code]
    process.stderr.write(`${title} (${error.code})\n${error.message}\n${hint}\n`)
    return kind === 'usage' ? 2 : 1
  }
  process.stderr.write(`The vault failed to start\n${toText(error)}\n`)
  return 1
}

function crash(error: unknown): never {
  process.stderr.write(`Uncaught exception\n${toText(error)}\n`)
  process.exit(1)
}

function toText(error: unknown): string {
  return JSON.stringify(describeCrash(error, config && secretsOf(config)), null, 2)
}
