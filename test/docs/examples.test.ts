import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type CommandEntry, commandTable, isGroup } from '../../packages/cli/src/command-table.ts'
import { marks, settings } from './examples.ts'
import { settle } from './settle.ts'
import { commandLinesOf } from './support/command-lines.ts'
import { findCommandProblem } from './support/find-command-problem.ts'
import { missingPrograms } from './support/missing-programs.ts'
import { shell } from './support/run-block.ts'
import { type DocsWorld, startDocsWorld } from './support/start-docs-world.ts'

/** The examples in the help of each command, run in their order. */
const missing = missingPrograms()
let world: DocsWorld
beforeAll(async () => {
  if (missing === '') world = await startDocsWorld(inject('postgresUrl'))
})
afterAll(() => world?.stop())

const named = (words: string, { load }: CommandEntry) => load().then((command) => ({ words, command }))
const commands = await Promise.all(
  commandTable.flatMap((entry) =>
    isGroup(entry)
      ? entry.commands.map((member) => named(`${entry.name} ${member.name}`, member))
      : [named(entry.name, entry)],
  ),
)

describe.each(commands)('$words', ({ words, command: { examples } }) => {
  const setting = settings[words] ?? {}
  let cwd = ''
  beforeAll(async () => {
    if (missing === '') cwd = await settle(world, words, setting)
  })
  afterAll(() => world?.endPrograms())

  test.for(examples.filter(([line]) => marks[line] === undefined))(
    '%s',
    { timeout: 60_000 },
    async ([line], { skip }) => {
      if (missing !== '') skip(missing)
      await shell(line, { cwd, world, setting })
    },
  )

  test('its examples have flags that there are', async () => {
    expect(examples.length).toBeGreaterThan(0)
    for (const argv of examples.flatMap(([line]) => commandLinesOf('authconn', line))) {
      expect(await findCommandProblem(argv)).toBeUndefined()
    }
  })
})

test('what is not run is there', () => {
  const all = commands.flatMap(({ command }) => command.examples.map(([line]) => line))
  expect(Object.keys(marks).filter((line) => !all.includes(line))).toEqual([])
  const known = commands.map(({ words }) => words)
  expect(Object.keys(settings).filter((words) => !known.includes(words))).toEqual([])
})
