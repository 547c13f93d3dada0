import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * What the vault leaves for command-line use on its own machine, in `credentials.json` in its data directory
 * (mode 0600): where it listens and the first administrator key.
 */
export interface LocalCredentials {
  url: string
  api_key: string
}

export const localCredentialsFile = 'credentials.json'

/** The data directory when none is set: `$XDG_DATA_HOME/authconn`, `~/.local/share/authconn`, or `%LOCALAPPDATA%\authconn`. */
export function defaultDataDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  if (platform === 'win32' && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, 'authconn')
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'authconn')
}
