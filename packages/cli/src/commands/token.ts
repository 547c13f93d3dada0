import { AuthconnError, type Token } from '@authconn/sdk'
import { defineCommand } from '../command.ts'
import { duration, oneOf, text, toggle } from '../flags.ts'
import { existingName, nameFlag, nameOperand } from '../input/connection-name.ts'
import {
  type FormatDetails,
  formatToken,
  type TokenFormat,
  tokenFormats,
  variableOf,
} from '../token/token-formats.ts'
import { checkVariable } from '../token/variables.ts'

export const token = defineCommand({
  description:
    'The token is refreshed first when that is due. stdout gets the token and a line break, nothing else; with --json the access token with its type, end, version and scope.',
  operand: nameOperand,
  flags: {
    ...nameFlag,
    subject: text('SUBJECT', "the token of this user of the application, instead of the application's own"),
    minTtl: duration('how long the token must still be valid for', {
      from: 0,
      to: 86_400,
    }),
    refresh: toggle(
      'refresh although the token is good, unless that was done a moment ago: it was revoked at the provider, or to try the client secret',
    ),
    format: oneOf(tokenFormats, 'how it is printed, as below; raw unless given'),
    variable: text('VAR', 'the variable of --format env, instead of NAME_ACCESS_TOKEN'),
    host: text('HOST', 'the machine of --format netrc'),
    login: text('LOGIN', 'the login of --format netrc; oauth2 unless given'),
  },
  terms: {
    heading: 'Formats',
    meanings: {
      raw: 'the token',
      json: 'as with --json',
      env: 'VAR=TOKEN, for a shell and for files of variables',
      header: 'Authorization: Bearer TOKEN, for curl -H @-',
      netrc: 'machine HOST login LOGIN password TOKEN, for curl --netrc-file and git',
    },
  },
  exits: { 5: 'somebody must authorize again, or no token lives that long', 7: 'try again later' },
  examples: [
    ['authconn token google-oauth', 'a token that is valid now'],
    [
      'curl -H "Authorization: Bearer $(authconn token google-oauth)" https://www.googleapis.com/oauth2/v2/userinfo',
      'call an API with it',
    ],
    ['authconn token google-oauth --min-ttl 10m', 'for work that takes ten minutes'],
    ['authconn token google-oauth --refresh', 'another one, after an API refused the last'],
    ['authconn token google-oauth --format env', 'GOOGLE_OAUTH_ACCESS_TOKEN=…, quoted for a shell'],
    [
      'authconn token google-oauth --format header | curl -H @- https://www.googleapis.com/oauth2/v2/userinfo',
      'the token in no command line, where other users could see it',
    ],
    ['authconn token github --format netrc --host github.com --login x-access-token', 'a line for ~/.netrc'],
    ['authconn token google-oauth --json', 'with its end: {"access_token": …, "expires_at": …}'],
  ],

  async run(ctx, { subject, minTtl, refresh, ...flags }, operands): Promise<Printed> {
    const { signal } = ctx
    const format = flags.format ?? 'raw'
    checkDetails(format, flags, ctx.json)
    const name = await existingName(ctx, flags, operands)
    const { variable = variableOf(name), host = '', login = 'oauth2' } = flags
    const vault = await ctx.vault()
    const asked = { signal, subject, minTtl, forceRefresh: refresh }
    const fetched = await ctx.waitFor('Fetching the token', vault.getConnectionToken(name, asked))
    return { token: fetched, format, details: { variable, host, login } }
  },

  render: ({ token: fetched, format, details }) => formatToken(fetched, format, details),
  json: ({ token: fetched }) => fetched,
})

interface Printed {
  token: Token
  format: TokenFormat
  details: FormatDetails
}

/** A detail of another format than the one asked for was meant to do something. */
function checkDetails(
  format: TokenFormat,
  { variable, host, login }: { [K in keyof FormatDetails]: FormatDetails[K] | undefined },
  json: boolean,
): void {
  const refuse = (detail: string) => new AuthconnError('usage', detail)
  if (json && format !== 'raw' && format !== 'json')
    throw refuse(`--json and --format ${format} exclude each other.`)
  if (variable !== undefined && format !== 'env') throw refuse('--variable goes with --format env.')
  if ((host ?? login) !== undefined && format !== 'netrc')
    throw refuse('--host and --login go with --format netrc.')
  if (variable !== undefined) checkVariable(variable, '--variable')
  if (format !== 'netrc') return
  if (host === undefined) throw refuse('--format netrc needs --host.')
  if (!/^[\w.:[\]-]+$/.test(host)) throw refuse('--host takes the name of a machine, such as api.example.com.')
  if (!/^[\w.@+-]+$/.test(login ?? 'oauth2')) throw refuse('--login takes letters, digits and .@+-_ only.')
}
