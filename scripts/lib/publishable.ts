import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Manifest {
  name: string
  version: string
  private?: boolean
  license?: string
  files?: string[]
  publishConfig?: { access?: string; provenance?: boolean }
  scripts?: Record<string, string>
}

export interface Publishable {
  /** Below the root. */
  directory: string
  manifest: Manifest
}

/** The packages that go to the registry. */
export function publishable(root: string): Publishable[] {
  return readdirSync(join(root, 'packages'))
    .map((name) => join('packages', name))
    .map((directory) => ({ directory, manifest: JSON.parse(read(root, directory)) as Manifest }))
    .filter(({ manifest }) => !manifest.private)
}

/**
 * Writes into the manifests which repository they come from: npm holds that against the identity of the run that
 * publishes them. Taken from the run, so that a fork's packages do not name another repository. The result undoes it.
 */
export function withRepository(root: string, packages: readonly Publishable[], url: string): () => void {
  const former = packages.map(({ directory }) => ({ directory, text: read(root, directory) }))
  for (const { directory, manifest } of packages) {
    const repository = { type: 'git', url, directory: directory.replaceAll('\\', '/') }
    write(root, directory, `${JSON.stringify({ ...manifest, repository }, null, 2)}\n`)
  }
  return () => {
    for (const { directory, text } of former) write(root, directory, text)
  }
}

function read(root: string, directory: string): string {
  return readFileSync(join(root, directory, 'package.json'), 'utf8')
}

function write(root: string, directory: string, text: string): void {
  writeFileSync(join(root, directory, 'package.json'), text)
}
