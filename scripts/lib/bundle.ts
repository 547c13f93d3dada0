import { existsSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, join } from 'node:path'
import { type CodeSplittingGroup, rolldown } from 'rolldown'
import { manPage } from './man-page.ts'
import { root, type Step, StepError } from './steps.ts'

/** What goes into the bundles; everything else must be a dependency of the package, installed beside it. */
const bundled = ['@authconn/', 'typebox']

/** What a package starts as a process, where it has it. */
const programs = ['main', 'function-host']

/**
 * Bundles a program of the workspace into its `dist/main.js`: our own code and the schema library, tree-shaken.
 * What is imported lazily stays a file of its own, loaded when it is used.
 */
export function bundle(name: string): Step {
  return {
    name: `bundle ${name}`,
    run: () =>
      bundleProgram(join(root, 'packages', name)).catch((cause) => {
        throw new StepError(cause instanceof Error ? cause.message : String(cause), { cause })
      }),
  }
}

async function bundleProgram(directory: string): Promise<string> {
  const manifest: Partial<Record<'dependencies' | 'optionalDependencies' | 'peerDependencies', object>> =
    JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
  const dependencies = Object.keys({
    ...manifest.dependencies,
    ...manifest.optionalDependencies,
    ...manifest.peerDependencies,
  })
  const build = await rolldown({
    input: Object.fromEntries(programs.flatMap((name) => entryOf(directory, name))),
    platform: 'node',
    tsconfig: false,
    cwd: directory,
    external(id) {
      if (isBuiltin(id) || dependencies.some((name) => id === name || id.startsWith(`${name}/`))) return true
      if (isPath(id) || bundled.some((prefix) => id.startsWith(prefix))) return false
      throw new StepError(`${id} is imported but is not a dependency in ${join(directory, 'package.json')}`)
    },
    onLog(level, log) {
      if (level === 'warn') throw new StepError(log.message)
    },
  })
  const { output } = await build.write({
    dir: join(directory, 'dist'),
    cleanDir: true,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [...(groups[basename(directory)] ?? [])] },
  })
  await build.close()
  await chmod(join(directory, 'dist/main.js'), 0o755)
  if (basename(directory) === 'cli') await writeFile(join(directory, 'dist/authconn.1'), await manPage())
  return output.map((file) => file.fileName).join('\n')
}

function entryOf(directory: string, name: string): [name: string, path: string][] {
  const path = join(directory, `src/${name}.ts`)
  return existsSync(path) ? [[name, path]] : []
}

/**
 * By program, what goes into one file though several need it. Of the command line that is what every command loads: a file
 * costs more to find and to open than to read. The version is asked for alone, and stays so.
 */
const groups: Readonly<Record<string, readonly CodeSplittingGroup[]>> = {
  cli: [
    { name: 'version', test: /cli\/src\/version\.ts$/, priority: 2 },
    {
      name: 'common',
      priority: 1,
      test: new RegExp(
        [
          'sdk/src/',
          String.raw`shared/src/(?:errors|routes)\.ts`,
          String.raw`cli/src/output/(?:paint|plain|to-json|view|hint|report-error|with-spinner|time)\.ts`,
          String.raw`cli/src/profiles/(?:find-vault|credential|profile-key|profile-store|keychain)\.ts`,
          String.raw`cli/src/(?:run-process|run-cli|program|command|command-table|flags|context|connect-to-vault|quick-fetch)\.ts`,
        ].join('|'),
      ),
    },
  ],
}

function isPath(id: string): boolean {
  return id.startsWith('.') || id.startsWith('/') || /^[A-Za-z]:[\\/]/.test(id)
}
