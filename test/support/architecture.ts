import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { type Import, readModuleLinks } from './imports.ts'

export interface SourceFile {
  /** Relative to the workspace, with slashes. */
  path: string
  text: string
}

export interface Manifest {
  name: string
  bin?: object
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** By directory relative to the workspace: `packages/server` and so on; the workspace's own under an empty string. */
export type Manifests = Readonly<Record<string, Manifest>>

/** Whom the sources of a package may import of the other packages. */
const arrows: Readonly<Record<string, string[]>> = {
  'packages/shared': [],
  'packages/sdk': ['packages/shared'],
  'packages/cli': ['packages/sdk', 'packages/shared'],
  'packages/server': ['packages/shared'],
  'packages/sandbox': [],
}

/** What core may use besides itself: `node:util` only for the symbol with which a value says how it is inspected. */
const coreMayUse = ['@authconn/shared', 'node:crypto', 'node:util']

/** What `local.ts` of shared may use, which is for programs on the vault's own machine. */
const localMayUse = ['node:crypto', 'node:os', 'node:path']

/** A sentence for each place where the sources break the architecture; empty when none does. */
export function findViolations(files: SourceFile[], manifests: Manifests): string[] {
  return files.flatMap((file) => {
    const { imports, hasDefaultExport } = readModuleLinks(file.path, file.text)
    const found = imports.flatMap((link) =>
      rules
        .flatMap((rule) => rule(file.path, link, manifests) ?? [])
        .map((reason) => `imports ${link.from}: ${reason}`),
    )
    if (hasDefaultExport && isSource(file.path)) found.push('has a default export: exports have names')
    return found.map((violation) => `${file.path} ${violation}`)
  })
}

/** Gives the reason why a file must not have that import. */
type Rule = (path: string, link: Import, manifests: Manifests) => string | undefined

const rules: Rule[] = [
  relativeImportsNameTheFile,
  packagesAreImportedByName,
  builtinsCarryTheirPrefix,
  dependenciesAreDeclared,
  packageArrowsPointOneWay,
  sharedStandsOnTypebox,
  coreStandsAlone,
  adaptersMeetCoreInCompose,
]

function relativeImportsNameTheFile(_path: string, { from }: Import) {
  if (isRelative(from) && !/\.(ts|json)$/.test(from)) return 'a relative import ends in .ts'
  return undefined
}

function packagesAreImportedByName(path: string, { from }: Import) {
  if (!isRelative(from) || !path.startsWith('packages/')) return undefined
  if (isSource(path) && !target(path, from).startsWith(`${packageOf(path)}/`)) return 'it leaves its package'
  return undefined
}

function builtinsCarryTheirPrefix(_path: string, { from }: Import) {
  return from !== undefined && isBuiltin(from) && !from.startsWith('node:')
    ? 'built-in modules start with node:'
    : undefined
}

function dependenciesAreDeclared(path: string, { from, typeOnly }: Import, manifests: Manifests) {
  const name = packageName(from)
  const own = manifests[packageOf(path)]
  if (name === undefined || own === undefined) return undefined
  if (own.dependencies?.[name] || own.optionalDependencies?.[name] || own.peerDependencies?.[name])
    return undefined
  const forDevelopment = own.devDependencies?.[name] !== undefined
  if (!isSource(path)) {
    const known = forDevelopment || manifests['']?.devDependencies?.[name] || name === own.name
    return known ? undefined : 'it is declared neither by the package nor by the workspace'
  }
  // Programs are shipped as bundles, which hold our own packages and the schema library.
  const inBundle = own.bin !== undefined && (name.startsWith('@authconn/') || name === 'typebox')
  if (forDevelopment && (typeOnly || inBundle)) return undefined
  return 'the package does not declare it as a dependency'
}

function packageArrowsPointOneWay(path: string, { from }: Import, manifests: Manifests) {
  if (!isSource(path)) return undefined
  const name = packageName(from)
  const other = Object.keys(manifests).find((directory) => directory !== '' && manifests[directory]?.name === name)
  const own = packageOf(path)
  if (other === undefined || other === own || arrows[own]?.includes(other)) return undefined
  return `${own} must not depend on ${other}`
}

function sharedStandsOnTypebox(path: string, { from }: Import) {
  if (!path.startsWith('packages/shared/src/') || from === undefined || isRelative(from)) return undefined
  if (packageName(from) === 'typebox') return undefined
  if (path === 'packages/shared/src/local.ts' && localMayUse.includes(from)) return undefined
  return 'shared may import only typebox'
}

function coreStandsAlone(path: string, { from }: Import) {
  const core = 'packages/server/src/core/'
  if (!path.startsWith(core)) return undefined
  if (from === undefined) return 'core imports nothing that only running it tells'
  const allowed = isRelative(from)
    ? target(path, from).startsWith(core)
    : coreMayUse.some((name) => from === name || from.startsWith(`${name}/`))
  return allowed ? undefined : `core may import only itself, ${coreMayUse.join(', ')}`
}

function adaptersMeetCoreInCompose(path: string, { from }: Import) {
  const room = /^packages\/server\/src\/([^/]+)\//.exec(path)?.[1]
  if (room === undefined || !isRelative(from)) return undefined
  const entered = /^packages\/server\/src\/([^/]+)\//.exec(target(path, from))?.[1]
  if (room !== 'adapters' && entered === 'adapters') return `only compose gives adapters to others, not ${room}/`
  if (room === 'adapters' && entered === 'http') return 'adapters know nothing of http/'
  return undefined
}

function isSource(path: string): boolean {
  return /^packages\/[^/]+\/src\//.test(path)
}

function isRelative(from: string | undefined): from is `.${string}` {
  return from?.startsWith('.') ?? false
}

function target(path: string, from: string): string {
  return posix.join(posix.dirname(path), from)
}

function packageOf(path: string): string {
  return /^packages\/[^/]+/.exec(path)?.[0] ?? ''
}

/** Undefined for what comes from no package: relative paths and built-in modules. */
function packageName(from: string | undefined): string | undefined {
  if (from === undefined || isRelative(from) || isBuiltin(from)) return undefined
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/')
}
