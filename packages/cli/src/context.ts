import type { AuthconnClient } from '@authconn/sdk'
import { connectToVault } from './connect-to-vault.ts'
import { paintFor } from './output/paint.ts'
import { plain } from './output/plain.ts'
import { toJsonLine } from './output/to-json.ts'
import { withSpinner } from './output/with-spinner.ts'
import type { Io } from './run-cli.ts'

/** What a command works with. */
export interface Context extends Io {
  json: boolean
  /** Whether somebody is there to answer questions. */
  interactive: boolean
  /**
   * The vault of this command line; of the keys on this machine that of the administrator, or of an operator for what only
   * those may. Throws vault_not_configured and other codes of a wrong configuration.
   */
  vault(as?: 'operator'): Promise<AuthconnClient>
  /** Tells the person something, on stderr; with --json as a line of JSON that holds the fields too. */
  say(words: string, fields?: Readonly<Record<string, unknown>>): void
  warn(words: string): void
  /** Shows that something is being waited for, in a terminal. */
  waitFor<T>(label: string, work: Promise<T>): Promise<T>
}

export function createContext(io: Io, options: { json: boolean; vaultUrl: string | undefined }): Context {
  const { json } = options
  const paint = paintFor(io.stderr, io.env)
  const tell = (words: string, fields: Readonly<Record<string, unknown>>, asText: string) =>
    io.stderr.write(json ? `${toJsonLine({ notice: words, ...fields })}\n` : `${asText}\n`)
  return {
    ...io,
    json,
    interactive: io.stdin.isTTY === true && io.stderr.isTTY === true,
    vault: (as) => connectToVault(io.env, options.vaultUrl, as),
    say: (words, fields = {}) => tell(words, fields, plain(words)),
    warn: (words) => tell(words, { warning: true }, `${paint.yellow('Warning:')} ${plain(words)}`),
    waitFor: (label, work) => (io.stderr.isTTY && !json ? withSpinner(label, io, work) : work),
  }
}
