import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { pnpm, pnpmVersion } from './pnpm.mjs'

const lockName = '.authconn-install.lock'
const progressEvery = 5_000

/**
 * Installs the workspace as the lockfile has it, unless that has been done.
 * Says what it does on stderr, and nothing when there is nothing to do.
 *
 * @param {string} root
 */
export async function install(root) {
  const modules = join(root, 'node_modules')
  if (isInstalled(root)) return
  mkdirSync(modules, { recursive: true })
  await withLock(join(modules, lockName), 'another installation in this checkout', async () => {
    if (isInstalled(root)) return
    const started = Date.now()
    console.error('Installing the dependencies …')
    rmSync(stampFile(root), { force: true })
    clearForeignModules(modules)
    await installWithPnpm(root)
    writeFileSync(stampFile(root), fingerprint(root))
    console.error(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`)
  })
}

/** @param {string} root */
function isInstalled(root) {
  try {
    if (readFileSync(stampFile(root), 'utf8') !== fingerprint(root)) return false
  } catch {
    return false
  }
  return workspacePackages(root).every((directory) => existsSync(join(directory, 'node_modules')))
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.authconn-installed')
}

/**
 * Of everything that decides what an installation holds.
 *
 * @param {string} root
 */
function fingerprint(root) {
  const hash = createHash('sha256')
  for (const part of [pnpmVersion, process.platform, process.arch]) hash.update(`${part}\0`)
  const names = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.pnpmfile.cjs', 'package.json']
  const files = names.map((name) => join(root, name))
  for (const directory of workspacePackages(root)) files.push(join(directory, 'package.json'))
  for (const file of files) hash.update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

/** @param {string} root */
function workspacePackages(root) {
  const packages = join(root, 'packages')
  return readdirSync(packages)
    .sort()
    .map((name) => join(packages, name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
}

/**
 * What someone's `npm install` or `yarn` laid out would stay among pnpm's links.
 *
 * @param {string} modules
 */
function clearForeignModules(modules) {
  const marks = ['.package-lock.json', '.yarn-integrity', '.yarn-state.yml']
  if (!marks.some((mark) => existsSync(join(modules, mark)))) return
  for (const name of readdirSync(modules)) {
    if (name !== lockName) rmSync(join(modules, name), { recursive: true, force: true })
  }
}

/** @param {string} root */
async function installWithPnpm(root) {
  let output = ''
  let progress = ''
  const timer = setInterval(() => {
    if (progress !== '') console.error(`  ${progress}`)
    progress = ''
  }, progressEvery)
  const code = await pnpm(
    root,
    ['install', '--frozen-lockfile', '--reporter=append-only', '--config.confirm-modules-purge=false'],
    (text) => {
      output += text
      progress = text.match(/resolved \d+, reused \d+, downloaded \d+, added \d+/g)?.at(-1) ?? progress
    },
  ).finally(() => clearInterval(timer))
  if (code === 0) return
  console.error(output.split('\n').slice(-40).join('\n'))
  throw new Error(
    [
      `The dependencies could not be installed (pnpm ended with code ${code}; its last words are above).`,
      'The npm registry must be reachable the first time. After a change to a package.json,',
      `run \`npx --yes pnpm@${pnpmVersion} install\` once, so that pnpm-lock.yaml follows.`,
    ].join('\n'),
  )
}
