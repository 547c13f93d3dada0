import { readFileSync } from 'node:fs'

/** The version of this program, from its package.json. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error('package.json of authconn has no version')
}

/** The same with what the program runs on, for a report. */
export function versionDetails() {
  return { version: version(), node: process.versions.node, platform: `${process.platform}-${process.arch}` }
}
