import { realpath } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { AuthconnError } from '@authconn/sdk'
import { defineCommand } from '../../command.ts'
import type { Context } from '../../context.ts'
import { duration, list, several, text } from '../../flags.ts'
import { runFunction } from '../../functions/run-function.ts'
import { startHost } from '../../functions/start-host.ts'
import { readAll } from '../../input/read-secret.ts'
import { toJson } from '../../output/to-json.ts'

export const runFunctionFile = defineCommand({
  description:
    "The module's default export is called with the input, and what it returns is printed as JSON on stdout; what it prints itself goes to stderr, with the tokens in it hidden. It gets tokens by tailor.authconnection.getConnectionToken(name) or authconn.getConnectionToken(name). It runs in a process of its own, which can read its package, reach the network, and nothing more: no other file, no program, no API key.",
  operand: { label: 'file', help: 'a JavaScript or TypeScript module' },
  flags: {
    input: text('JSON', 'what the function is called with; - for what is on standard input'),
    connection: list(
      'PATTERNS',
      'the connections it may have tokens of, * standing for any characters; all unless given',
    ),
    timeout: duration('how long it may take; 60s unless given', { from: 1, to: 86_400 }),
    env: several('VARIABLE', 'a variable of the environment that it gets'),
    allowRead: several('PATH', 'a file or directory that it may read, too'),
    allowWrite: several('PATH', 'a file or directory that it may write'),
  },
  exits: { 1: 'the function failed, or took too long' },
  examples: [
    ['authconn function run ./sync.ts', 'run it'],
    [`authconn function run ./sync.ts --input '{"since": "2026-01-01"}'`, 'with an argument'],
    [
      "authconn function run ./sync.ts --connection 'google-*' --timeout 5m",
      'with some connections only, for longer',
    ],
  ],

  async run(ctx, { timeout = 60, connection: connections, ...flags }, operands): Promise<{ result: unknown }> {
    const [given] = operands
    if (given === undefined) throw new AuthconnError('usage', 'The file of the function is missing.')
    const input = await readInput(ctx, flags.input)
    const file = await realpath(given).catch((cause: unknown) => {
      throw new AuthconnError('usage', `There is no file ${given}.`, { cause })
    })
    const grants = { env: flags.env ?? [], read: flags.allowRead ?? [], write: flags.allowWrite ?? [] }
    const host = await startHost(file, grants, ctx.env)
    const result = await runFunction({
      ...{ host, input, connections, timeout, module: pathToFileURL(file).href },
      ...{ vault: ctx.vault, signal: ctx.signal, output: ctx.stderr },
    })
    return { result }
  },

  render: ({ result }) => toJson(result),
  json: ({ result }) => result,
})

async function readInput(ctx: Context, given: string | undefined): Promise<unknown> {
  if (given === undefined) return undefined
  const json = given === '-' ? await readAll(ctx.stdin, 'Standard input', 'input', ctx.signal) : given
  try {
    return JSON.parse(json)
  } catch {
    // The parser's message would quote what may be secret.
    throw new AuthconnError('usage', '--input is not JSON.')
  }
}
