import { AuthconnError } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { runProgram } from '../exec/run-program.ts'
import { environmentOf, readAssignments } from '../exec/token-variables.ts'
import { duration, several, text, toggle } from '../flags.ts'

export const run = defineCommand({
  description:
    "The tokens are fetched first; if one cannot be had, nothing is run. The program gets the streams of this command, its signals, and the rest of its environment but the settings of authconn and the identity of a job of GitHub Actions: with either it could fetch more. Its exit code is the command's. Nothing is written to disk. A token in the environment is not replaced while the program runs: for longer work use authconn proxy, or fetch tokens in the program.",
  operand: { label: 'command', help: 'the program and its arguments, after --', several: true },
  flags: {
    token: several('VAR=NAME', 'a variable, and the connection whose token it is to hold'),
    subject: text('SUBJECT', "the tokens of this user of the application, instead of the application's own"),
    minTtl: duration('how long the tokens must still be valid for', { from: 0, to: 86_400 }),
    refresh: toggle('refresh the tokens first, so that their whole life is ahead of them'),
    keepIdentity: toggle(
      'leave the program the variables by which GitHub Actions gives the job its identity; with it the program can ask the vault, too',
    ),
  },
  exits: { 0: 'once the program runs, its exit code is that of the command' },
  examples: [
    ['authconn run --token GOOGLE_TOKEN=google-oauth -- ./report.sh', 'a script that reads $GOOGLE_TOKEN'],
    [
      'authconn run --token A=google-oauth --token B=quickbooks --min-ttl 30m -- node sync.js',
      'two, for half an hour',
    ],
    [
      `authconn run --token T=github -- sh -c 'curl -H "Authorization: Bearer $T" https://api.github.com/user'`,
      'one line of a shell',
    ],
  ],

  async run(ctx, { token, subject, minTtl, refresh, keepIdentity }, command): Promise<{ exit_code: number }> {
    const { signal } = ctx
    const assignments = readAssignments(token)
    if (command.length === 0) throw new AuthconnError('usage', 'The command to run is missing: give it after --.')
    const vault = await ctx.vault()
    const asked = { signal, subject, minTtl, forceRefresh: refresh }
    const fetched = assignments.map(async ({ variable, name }) => {
      const { access_token } = await vault.getConnectionToken(name, asked).catch(async (error: unknown) => {
        const { aboutConnection } = await import('../suggest-name.ts')
        throw await aboutConnection(error, name, ctx)
      })
      return [variable, access_token] as const
    })
    const tokens = Object.fromEntries(await ctx.waitFor('Fetching the tokens', Promise.all(fetched)))
    return { exit_code: await runProgram(command, environmentOf(ctx.env, tokens, keepIdentity === true)) }
  },

  silent: true,
  render: () => '',
  exitCode: ({ exit_code }) => exit_code,
})
