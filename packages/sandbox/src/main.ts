import { parseArgs } from 'node:util'
import { PortTakenError } from './http/listen.ts'
import { createDefaultClient } from './provider/clients.ts'
import { signingAlgs } from './provider/signing-key.ts'
import { announcements, maximumLatencyMs } from './settings.ts'
import { type Sandbox, type SandboxOptions, startSandbox } from './start-sandbox.ts'

const help = `Runs an OAuth 2.0 and OpenID provider on this machine, to develop and to test against.

Usage: node packages/sandbox/src/main.ts [options]

  --port PORT                where to listen (default 9400; 0 for any free port)
  --access-token-ttl SECONDS lifetime of access tokens (default 3600)
  --refresh-token-ttl SECONDS
                             lifetime of refresh tokens (default 2592000)
  --announce-refresh-token-ttl NAME
                             tell it in token answers: refresh_token_expires_in or x_refresh_token_expires_in
  --no-rotate                keep the refresh token at a refresh instead of giving a new one
  --reuse-interval SECONDS   how long a used refresh token still works (default 0)
  --token-latency MS         let each token request wait before it is processed (default 0)
  --signing-alg ALG          RS256 (default), or ES256, which is faster
  --client-id ID             (default sandbox-client)
  --client-secret SECRET     (default: another one at every start)
  --json                     print what to connect with as one line of JSON
  --help                     print this

Ends on Ctrl-C.
`

/** Runs the command and answers the exit code, or undefined while the sandbox goes on running. */
async function main(args: readonly string[]): Promise<number | undefined> {
  try {
    const flags = readFlags(args)
    if (flags.help) {
      process.stdout.write(help)
      return 0
    }
    const sandbox = await startSandbox(toOptions(flags))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.stop())
    process.stdout.write(flags.json ? `${JSON.stringify(toJson(sandbox))}\n` : describe(sandbox))
    return undefined
  } catch (error) {
    const usage = error instanceof UsageError || isParseError(error)
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${message}${hintFor(error, usage)}\n`)
    return usage ? 2 : 1
  }
}

type Flags = ReturnType<typeof readFlags>

class UsageError extends Error {}

function readFlags(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '9400' },
      'access-token-ttl': { type: 'string', default: '3600' },
      'refresh-token-ttl': { type: 'string', default: '2592000' },
      'announce-refresh-token-ttl': { type: 'string', default: 'none' },
      'no-rotate': { type: 'boolean', default: false },
      'reuse-interval': { type: 'string', default: '0' },
      'token-latency': { type: 'string', default: '0' },
      'signing-alg': { type: 'string', default: 'RS256' },
      'client-id': { type: 'string' },
      'client-secret': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values
}

function toOptions(flags: Flags): SandboxOptions {
  const defaults = createDefaultClient()
  return {
    port: readNumber('--port', flags.port, 0, 65_535),
    accessTokenTtl: readNumber('--access-token-ttl', flags['access-token-ttl'], 1),
    refreshTokenTtl: readNumber('--refresh-token-ttl', flags['refresh-token-ttl'], 1),
    announceRefreshTokenTtl: readChoice(
      '--announce-refresh-token-ttl',
      flags['announce-refresh-token-ttl'],
      announcements,
    ),
    rotateRefreshTokens: !flags['no-rotate'],
    reuseInterval: readNumber('--reuse-interval', flags['reuse-interval'], 0),
    tokenLatencyMs: readNumber('--token-latency', flags['token-latency'], 0, maximumLatencyMs),
    signingAlg: readChoice('--signing-alg', flags['signing-alg'], signingAlgs),
    clients: [
      {
        client_id: flags['client-id'] || defaults.client_id,
        client_secret: flags['client-secret'] || defaults.client_secret,
      },
    ],
  }
}

function readNumber(flag: string, text: string, minimum: number, maximum = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= minimum && value <= maximum) return value
  throw new UsageError(`${flag} must be a whole number from ${minimum} to ${maximum}, not "${text}"`)
}

function readChoice<Choice extends string>(flag: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((name) => name === text)
  if (choice) return choice
  throw new UsageError(`${flag} must be one of ${choices.join(', ')}, not "${text}"`)
}

function toJson({ issuer, client: { client_id, client_secret } }: Sandbox) {
  const switches = ['faults', 'stats', 'settings', 'families', 'tokens']
  const urls = switches.map((name) => [name, `${issuer}/sandbox/${name}`])
  return { issuer, client_id, client_secret, ...Object.fromEntries(urls) }
}

function describe({ issuer, client }: Sandbox): string {
  return `The sandbox provider is running. Press Ctrl-C to end it.

  issuer         ${issuer}
  client id      ${client.client_id}
  client secret  ${client.client_secret}

  overview       ${issuer}/
  make it fail   ${issuer}/sandbox/faults
  counters       ${issuer}/sandbox/stats
  settings       ${issuer}/sandbox/settings
  what became    ${issuer}/sandbox/families
`
}

function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

function hintFor(error: unknown, usage: boolean): string {
  if (usage) return '\nTry --help.'
  return error instanceof PortTakenError ? '\nGive another one with --port, or --port 0.' : ''
}

const code = await main(process.argv.slice(2))
if (code !== undefined) process.exitCode = code
