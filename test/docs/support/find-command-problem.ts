import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { buildProgram } from '../../../packages/cli/src/program.ts'
import { root } from './read-page.ts'

/** What is wrong with a command line of `authconn`, held against its table; undefined when nothing is. */
export async function findCommandProblem(argv: readonly string[]): Promise<string | undefined> {
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv
  const program = await buildProgram(own, {
    json: false,
    writeOut: () => {},
    writeErr: () => {},
    perform: async () => {},
  })
  let command = program
  const known = new Set(['--json', '--quiet', '-q', '--vault-url', '--profile', '--help', '-h', '--version', '-V'])
  for (const word of own) {
    const next = command.commands.find((each) => each.name() === word)
    if (next === undefined) break
    command = next
  }
  const isHelp = command.name() === 'help'
  if (own[0] === '…') return undefined
  if (command === program && !own[0]?.startsWith('-') && own[0] !== undefined) return `no command ${own[0]}`
  if (command.commands.length > 0 && command !== program && own.length > 1) {
    const [, second = ''] = own
    if (!second.startsWith('-') && second !== '…') return `no command ${own.join(' ')}`
  }
  for (const { long, short } of command.options) for (const flag of [long, short]) if (flag) known.add(flag)
  const flags = own.filter((word) => /^--?[a-z]/i.test(word)).map((word) => word.replace(/=.*/, ''))
  const unknown = isHelp ? undefined : flags.find((flag) => !known.has(flag))
  return unknown === undefined ? undefined : `no flag ${unknown} of ${command.name()}`
}

const helps = new Map<string, string>()

/** The same of `authconn-server`, held against its help. */
export function findServerProblem(argv: readonly string[]): string | undefined {
  const words = argv.filter((word, index) => /^[a-z-]+$/.test(word) && !word.startsWith('-') && index < 2)
  const help = serverHelp(words[0] === 'keys' ? words : words.slice(0, 1))
  if (help === '') return `no command ${argv.join(' ')}`
  const unknown = argv.filter((word) => word.startsWith('--')).find((flag) => !help.includes(`${flag} `))
  return unknown === undefined ? undefined : `no flag ${unknown}`
}

function serverHelp(words: readonly string[]): string {
  const command = words.join(' ')
  const known = helps.get(command)
  if (known !== undefined) return known
  const main = join(root, 'packages/server/dist/main.js')
  const help = execFileSync(process.execPath, [main, ...words, '--help'], { encoding: 'utf8' })
  helps.set(command, words.every((word) => help.includes(word)) ? help : '')
  return helps.get(command) ?? ''
}
