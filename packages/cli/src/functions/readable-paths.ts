import { existsSync } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { defaultDataDirectory } from '@authconn/shared/local'
import { configDirectory } from '../profiles/profile-store.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * What a function may read: the package that its file belongs to, or else the file's directory, and the packages that
 * are installed there and above. Nothing by which somebody could talk to the vault, should it be in there.
 */
export async function readablePaths(file: string, env: Env): Promise<string[]> {
  const root = packageOf(file) ?? dirname(file)
  const withheld = await Promise.all(credentialsOf(env).map((path) => realpath(path).catch(() => resolve(path))))
  const installed = ancestors(dirname(root))
    .map((directory) => join(directory, 'node_modules'))
    .filter(existsSync)
  return (await Promise.all([root, ...installed].map((path) => without(path, withheld)))).flat()
}

function packageOf(file: string): string | undefined {
  return ancestors(dirname(file)).find((directory) => existsSync(join(directory, 'package.json')))
}

/** The directory and those above it. */
function ancestors(directory: string): string[] {
  const above = dirname(directory)
  return above === directory ? [directory] : [directory, ...ancestors(above)]
}

/** The path, or as much of what is in it as leaves out the withheld ones. */
async function without(path: string, withheld: readonly string[]): Promise<string[]> {
  if (withheld.some((other) => isWithin(path, other))) return []
  const inside = withheld.filter((other) => isWithin(other, path))
  if (inside.length === 0) return [path]
  const entries = await readdir(path)
  return (await Promise.all(entries.map((entry) => without(join(path, entry), inside)))).flat()
}

function isWithin(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way !== '..' && !/^\.\.[\\/]/.test(way) && !isAbsolute(way)
}

/**
 * Where this machine keeps what the vault lets somebody in by. A vault in another directory now does not make the key
 * of the one in the usual place worthless.
 */
function credentialsOf(env: Env): string[] {
  const { AUTHCONN_DATA_DIR: dataDirectory, AUTHCONN_API_KEY_FILE: keyFile } = env
  return [
    defaultDataDirectory(env),
    configDirectory(env),
    ...(dataDirectory ? [dataDirectory] : []),
    ...(keyFile ? [keyFile] : []),
  ]
}
