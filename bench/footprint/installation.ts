import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bundle } from '../../scripts/lib/bundle.ts'
import { deploy } from '../../scripts/lib/deploy.ts'

export interface Installation {
  /** Third-party packages, each version counted once. */
  packages: number
  megabytes: number
}

/** Makes the production install of the vault in a new directory, and weighs it. */
export async function measureInstallation(directory: string): Promise<Installation> {
  await bundle('server').run()
  await deploy(directory).run()
  return { packages: await countPackages(directory), megabytes: Math.round((await bytesIn(directory)) / 1e6) }
}

async function countPackages(directory: string): Promise<number> {
  const entries = await readdir(join(directory, 'node_modules/.pnpm'), { withFileTypes: true })
  // name@version, followed by _ and its peers where it has some.
  const versions = entries.filter((entry) => entry.isDirectory() && /.@/.test(entry.name))
  return new Set(versions.map(({ name }) => name.replace(/(?<=.@[^_]*)_.*/, ''))).size
}

/** What the files take up on the disk, in whole blocks. */
async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += 512 * (await lstat(join(entry.parentPath, entry.name))).blocks
  }
  return bytes
}
