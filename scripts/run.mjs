// The single way into the checkout. Plain JavaScript for any Node from 18 on and npm: it installs what is missing,
// then runs the wanted script on the Node that the workspace pins.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './lib/install.mjs'
import { runOnPinnedNode } from './lib/node.mjs'

/** @type {Record<string, { script?: string, whereCalled?: boolean }>} */
const commands = {
  install: {},
  quickstart: { script: 'scripts/quickstart.ts' },
  dev: { script: 'scripts/dev.ts' },
  check: { script: 'scripts/check.ts' },
  build: { script: 'scripts/build.ts' },
  test: { script: 'scripts/test.ts' },
  deploy: { script: 'scripts/deploy.ts' },
  publish: { script: 'scripts/publish.ts' },
  docs: { script: 'scripts/docs.ts' },
  bench: { script: 'bench/main.ts' },
  authconn: { script: 'packages/cli/src/main.ts', whereCalled: true },
  'authconn-server': { script: 'packages/server/src/main.ts', whereCalled: true },
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [name = '', ...args] = process.argv.slice(2)
const command = Object.hasOwn(commands, name) ? commands[name] : undefined

if (command === undefined) {
  console.error(`usage: node scripts/run.mjs ${Object.keys(commands).join(' | ')} [arguments]`)
  process.exit(2)
}

try {
  await install(root)
  if (command.script !== undefined) {
    const directory = command.whereCalled ? directoryOfCaller(name) : root
    process.exitCode = await runOnPinnedNode(root, [join(root, command.script), ...args], directory)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

/**
 * npm runs scripts in the directory of package.json and leaves in INIT_CWD where the person was.
 *
 * @param {string} command
 */
function directoryOfCaller(command) {
  const { npm_lifecycle_event: npmScript, INIT_CWD } = process.env
  return npmScript === command && INIT_CWD !== undefined ? INIT_CWD : process.cwd()
}
