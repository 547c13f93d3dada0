import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { AuthconnError } from '@authconn/sdk'
import { parseJson, readPrivateFile } from '../read-private-file.ts'

/** A vault and a workspace in it, under a name of this user's. */
export interface Profile {
  name: string
  url: string
  /** Which workspace and caller the key was for when it was checked: to be told, and for nothing else. */
  workspace: string
  caller: string
  /** undefined: it is in the keychain of the operating system. */
  apiKey: string | undefined
  /** When the key ends, and the trust that it was given by, where somebody logged in with an OpenID Connect provider. */
  login?: { expiresAt: string; trust: string } | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * The profiles of this user, a file of mode 0600 each, so that two programs that write do not undo each other's work.
 * Throws key_file_unsafe, and vault_not_configured for a file that is damaged or cannot be read.
 */
export function createProfileStore(env: Env) {
  const root = configDirectory(env)
  const directory = join(root, 'profiles')
  const fileOf = (name: string) => join(directory, `${name}.json`)
  const currentFile = join(root, 'current-profile')

  const read = (name: string) => readPrivateFile(fileOf(checkProfileName(name)))

  async function find(name: string): Promise<Profile | undefined> {
    const content = await read(name)
    if (content === undefined) return undefined
    const profile = parse(name, content)
    if (profile !== undefined) return profile
    throw new AuthconnError('vault_not_configured', `${fileOf(name)} is damaged: it is no profile.`, {
      hint: `Log in again with \`authconn login --profile ${name} --vault-url URL\`, which writes it anew.`,
    })
  }

  return {
    fileOf,
    find,
    /** For who writes it anew: 'damaged' is no reason not to. */
    async findFormer(name: string): Promise<Profile | 'damaged' | undefined> {
      const content = await read(name)
      return content === undefined ? undefined : (parse(name, content) ?? 'damaged')
    },
    /** By name. */
    async list(): Promise<Profile[]> {
      const found = await Promise.all((await names(directory)).map(find))
      return found.filter((profile) => profile !== undefined)
    },
    names: () => names(directory),
    async save({ name, url, workspace, caller, apiKey, login }: Profile): Promise<void> {
      const content = {
        url,
        workspace,
        caller,
        ...(apiKey === undefined ? { keychain: true } : { api_key: apiKey }),
        ...(login === undefined ? {} : { expires_at: login.expiresAt, trust: login.trust }),
      }
      await writePrivate(fileOf(checkProfileName(name)), `${JSON.stringify(content, null, 2)}\n`)
    },
    remove: (name: string) => rm(fileOf(checkProfileName(name)), { force: true }),
    /** The one that is used where none is named. */
    async current(): Promise<string | undefined> {
      const name = (await readPrivateFile(currentFile))?.trim()
      return name === undefined || name === '' ? undefined : checkProfileName(name)
    },
    use: (name: string | undefined) =>
      name === undefined ? rm(currentFile, { force: true }) : writePrivate(currentFile, `${name}\n`),
  }
}

/** `$AUTHCONN_CONFIG_DIR`, or else where this platform keeps the configuration of a user's programs. */
export function configDirectory(env: Env): string {
  if (env.AUTHCONN_CONFIG_DIR) return env.AUTHCONN_CONFIG_DIR
  if (process.platform === 'win32' && env.APPDATA) return join(env.APPDATA, 'authconn')
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'authconn')
}

/** It is the name of a file. Throws usage. */
export function checkProfileName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) return name
  throw new AuthconnError(
    'usage',
    'The name of a profile has lowercase letters, digits, hyphens and underscores, at most 63.',
  )
}

async function names(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
    throw new AuthconnError('vault_not_configured', `The profiles cannot be read: ${error.message}`, {
      cause: error,
    })
  })
  return entries.flatMap((entry) => /^([a-z0-9][a-z0-9_-]{0,62})\.json$/.exec(entry)?.[1] ?? []).sort()
}

/** Whole or not at all: a reader never sees half of it. */
async function writePrivate(file: string, content: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${crypto.randomUUID()}`
  try {
    await writeFile(temporary, content, { mode: 0o600, flag: 'wx' })
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** undefined when it is damaged. */
function parse(name: string, content: string): Profile | undefined {
  const value = parseJson(content)
  const text = (key: string): string | undefined => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
    return typeof found === 'string' ? found : undefined
  }
  const [url, workspace, caller, apiKey] = [text('url'), text('workspace'), text('caller'), text('api_key')]
  const [expiresAt, trust] = [text('expires_at'), text('trust')]
  const login = expiresAt === undefined || trust === undefined ? undefined : { expiresAt, trust }
  const keychain = typeof value === 'object' && value !== null && Reflect.get(value, 'keychain') === true
  if (
    url !== undefined &&
    workspace !== undefined &&
    caller !== undefined &&
    keychain === (apiKey === undefined)
  ) {
    return { name, url, workspace, caller, apiKey, login }
  }
  return undefined
}
