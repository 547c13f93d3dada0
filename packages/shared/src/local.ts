import { createHmac } from 'node:crypto'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * What the vault leaves for command-line use on its own machine, in `credentials.json` in its data directory
 * (mode 0600): where it listens, the first administrator key, and what only the vault that runs now knows besides.
 */
export interface LocalCredentials {
  url: string
  api_key: string
  /** 32 bytes in base64url, new at each start of the vault. */
  proof_key: string
}

export const localCredentialsFile = 'credentials.json'

/** Beside it, once `authconn-server operator-key` has made one: the `api_key` of an operator, for its commands alone. */
export const localOperatorFile = 'operator.json'

/** The data directory when none is set: `$XDG_DATA_HOME/authconn`, `~/.local/share/authconn`, or `%LOCALAPPDATA%\authconn`. */
export function defaultDataDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'authconn')
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'authconn')
}

/**
 * What a vault answers to a challenge, in base64url: it proves that it holds the proof key, and so that it is the one
 * that wrote the file. Another program may listen on the port once the vault has stopped.
 */
export function proveVault(proofKey: string, challenge: string): string {
  return createHmac('sha256', Buffer.from(proofKey, 'base64url')).update(challenge).digest('base64url')
}
