import type { AuthconnClient } from '@authconn/sdk'
import { connectToVault } from './connect-to-vault.ts'
import { paintFor } from './output/paint.ts'
import { plain } from './output/plain.ts'
import { toJsonLine } from './output/to-json.ts'
import { withSpinner } from './output/with-spinner.ts'
import type { Wanted } from './profiles/find-vault.ts'
import type { Io } from './run-cli.ts'

/** What a command works with. */
export interface Context extends Io {
  json: boolean
  quiet: boolean
  /** Whether somebody is there to answer questions. */
  interactive: boolean
  /** What the flags say about the vault. */
  wanted: Wanted
  /**
   * The vault of this command line, the same client each time, so that an identity is exchanged once; of the keys on this
   * machine that of the administrator, or of an operator for what only those may. Throws vault_not_configured and other codes of a wrong configuration.
   */
  vault(as?: 'operator'): Promise<AuthconnClient>
  /** Tells the person something, on stderr; with --json as a line of JSON that holds the fields too. Not with --quiet. */
  say(words: string, fields?: Readonly<Record<string, unknown>>): void
  /** The same for what the command cannot go on without, as an address to open: with --quiet, too. */
  instruct(words: string, fields?: Readonly<Record<string, unknown>>): void
  warn(words: string): void
  /** Shows that something is being waited for, in a terminal. */
  waitFor<T>(label: string, work: Promise<T>): Promise<T>
}

export function createContext(io: Io, options: { json: boolean; quiet: boolean } & Wanted): Context {
  const { json, quiet, vaultUrl, profile } = options
  const paint = paintFor(io.stderr, io.env)
  const wanted = { vaultUrl, profile }
  const tell = (words: string, fields: Readonly<Record<string, unknown>>, asText: string) =>
    io.stderr.write(json ? `${toJsonLine({ notice: words, ...fields })}\n` : `${asText}\n`)
  const instruct: Context['instruct'] = (words, fields = {}) => tell(words, fields, plain(words))
  const clients = new Map<'operator' | undefined, Promise<AuthconnClient>>()
  return {
    ...io,
    json,
    quiet,
    interactive: io.stdin.isTTY === true && io.stderr.isTTY === true,
    wanted,
    vault(as) {
      const client = clients.get(as) ?? connectToVault(io.env, wanted, io.openKeychain, as)
      clients.set(as, client)
      return client
    },
    say(words, fields) {
      if (!quiet) instruct(words, fields)
    },
    instruct,
    warn: (words) => tell(words, { warning: true }, `${paint.yellow('Warning:')} ${plain(words)}`),
    waitFor: (label, work) => (io.stderr.isTTY && !json && !quiet ? withSpinner(label, io, work) : work),
  }
}
