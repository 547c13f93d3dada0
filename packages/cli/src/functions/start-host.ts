import { type ChildProcess, spawn } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AuthconnError } from '@authconn/sdk'
import { besideMain } from '../beside-main.ts'
import { ofIdentity, ofVault } from '../token/variables.ts'
import { readablePaths } from './readable-paths.ts'

export interface Grants {
  /** Variables of the environment that the function gets, too. */
  env: readonly string[]
  read: readonly string[]
  write: readonly string[]
}

type Env = Readonly<Record<string, string | undefined>>

/** What a program needs to know of the machine it is on; none of it is secret. */
const harmless = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'NO_COLOR',
  'NODE_EXTRA_CA_CERTS',
  'SystemRoot',
]

/**
 * Starts the process for a function: by Node's permission model it may read its package and nothing else, write no file,
 * start no program and load no native code; and its environment holds nothing by which to reach the vault.
 */
export async function startHost(file: string, grants: Grants, env: Env): Promise<ChildProcess> {
  const host = besideMain('function-host')
  const read = [host, ...(await readablePaths(file, env)), ...(await existing(grants.read))]
  // Files to be written need not exist yet.
  const write = grants.write.map((path) => resolve(path))
  // Newer versions of Node permit no connections, either, unless told to.
  const net = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []
  const flags = [
    '--permission',
    ...net,
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
  ]
  const names = [...harmless, ...grants.env.map(checkName)]
  const given = Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
  return spawn(process.execPath, [...flags, host], {
    env: given,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C is for the command, which ends the function.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
}

async function existing(paths: readonly string[]): Promise<string[]> {
  return Promise.all(
    paths.map((path) =>
      realpath(path).catch((cause: unknown) => {
        throw new AuthconnError('usage', `--allow-read: there is no ${path}.`, { cause })
      }),
    ),
  )
}

function checkName(name: string): string {
  if (!ofVault.test(name) && !ofIdentity.test(name) && !/^NODE_OPTIONS$/i.test(name)) return name
  throw new AuthconnError(
    'usage',
    `--env ${name}: a function is not given what reaches the vault or changes Node.`,
  )
}
