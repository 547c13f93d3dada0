import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './read-page.ts'

/** What the compiler says of files of a directory, with the types that stand beside them. */
export async function findTypeProblems(directory: string, names: string[]): Promise<string[]> {
  const compilerOptions = {
    ...{
      strict: true,
      noEmit: true,
      target: 'es2024',
      module: 'nodenext',
      lib: ['es2024', 'dom'],
      skipLibCheck: true,
    },
    ...{ allowImportingTsExtensions: true, erasableSyntaxOnly: true, types: ['node'] },
    typeRoots: [join(root, 'node_modules/@types')],
  }
  await writeFile(join(directory, 'package.json'), '{"type": "module"}')
  const config = join(directory, 'tsconfig.json')
  await writeFile(config, JSON.stringify({ compilerOptions, include: [...names, '*.d.ts'] }))
  const ran = promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config])
  const { stdout } = await ran.catch((failure: { stdout: string }) => failure)
  return stdout.split('\n').filter((line) => line.includes('error TS'))
}
