import { readFile, writeFile } from 'node:fs/promises'
import { AuthconnError } from '@authconn/sdk'
import { exitCodes } from '@authconn/shared/errors'
import { defineCommand } from '../command.ts'
import { text, toggle } from '../flags.ts'
import { listConnections } from '../list-connections.ts'
import { plainLine } from '../output/plain.ts'
import { typesFile } from '../types-file.ts'

export const types = defineCommand({
  description:
    'The file adds the names of the connections to the ConnectionNames of @authconn/sdk: a name that is mistyped in code is then an error of the type checker. Keep it among the sources that tsconfig.json includes. It is written only where that changes it.',
  flags: {
    out: text('FILE', 'where to write it; authconn.d.ts unless given'),
    globals: toggle('declare what authconn function run gives to functions, too'),
    check: toggle('write nothing, and fail where the file is not what it would be'),
  },
  exits: { 5: 'with --check: the file is missing or out of date' },
  examples: [
    ['authconn types --out src/authconn.d.ts', 'write it'],
    ['authconn types --out src/authconn.d.ts --check', 'in CI: exit code 5 where somebody forgot to'],
  ],

  async run(ctx, { out: file = 'authconn.d.ts', globals = false, check = false }): Promise<Written> {
    const connections = await ctx.waitFor('Asking the vault', listConnections(ctx))
    const names = connections.map(({ name }) => name)
    const content = typesFile(names, { globals })
    const current = (await readIfThere(file)) === content
    if (!current && !check) {
      await writeFile(file, content).catch((cause: unknown) => {
        throw new AuthconnError('usage', `${file} cannot be written: ${reasonOf(cause)}`, { cause })
      })
    }
    return { file, connections: names.length, outcome: current ? 'up_to_date' : check ? 'out_of_date' : 'written' }
  },

  render({ file, connections, outcome }, { paint }) {
    const named = plainLine(file)
    if (outcome === 'out_of_date') return paint.red(`${named} is out of date.`)
    const count = `${connections} connection${connections === 1 ? '' : 's'}`
    return `${named} ${outcome === 'written' ? 'has been written' : 'is up to date'}: ${count}.`
  },

  next: ({ outcome }) =>
    outcome === 'out_of_date' ? 'Next: authconn types with the same flags, without --check' : undefined,
  exitCode: ({ outcome }) => (outcome === 'out_of_date' ? exitCodes.state : 0),
})

interface Written {
  file: string
  connections: number
  outcome: 'up_to_date' | 'out_of_date' | 'written'
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new AuthconnError('usage', `${file} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
