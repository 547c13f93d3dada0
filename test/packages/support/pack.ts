import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { pnpm } from '../../../scripts/lib/pnpm.mjs'
import { type Publishable, publishable } from '../../../scripts/lib/publishable.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const typescript = join(root, 'node_modules/typescript/bin/tsc')

export interface Packed extends Publishable {
  /** What goes to the registry. */
  tarball: string
}

/** Packs what is published as `scripts/publish.ts` does, into a directory. The programs must have been bundled. */
export async function packAll(directory: string): Promise<Packed[]> {
  await promisify(execFile)(process.execPath, [typescript, '-b', 'packages/shared', 'packages/sdk'], { cwd: root })
  const packages = publishable(root)
  const filters = packages.flatMap(({ manifest }) => ['--filter', manifest.name])
  let output = ''
  const code = await pnpm(root, ['--recursive', ...filters, 'pack', '--pack-destination', directory], (text) => {
    output += text
  })
  if (code !== 0) throw new Error(output)
  const tarballs = readdirSync(directory)
  return packages.map((each) => {
    const { name, version } = each.manifest
    const tarball = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
    if (!tarballs.includes(tarball)) throw new Error(`there is no ${tarball}, but ${tarballs.join(', ')}`)
    return { ...each, tarball: join(directory, tarball) }
  })
}
