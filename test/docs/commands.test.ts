import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commandLinesOf } from './support/command-lines.ts'
import { findCommandProblem, findServerProblem } from './support/find-command-problem.ts'
import { isKnownVariable } from './support/known-variables.ts'
import { pages, readPage, root } from './support/read-page.ts'

test('a command line is found wherever a shell would', () => {
  const lines = `A=1 npx authconn run --token T=a -- sh -c 'x | y' # authconn none
curl -H "X: $(authconn token a --min-ttl 10m)" \\
  https://a.example | authconn create b --client-secret "- -" > file
- run: npx --yes authconn@1.2.3 get a
echo authconn none; npm run -s authconn -- list && source <(authconn completion bash)`
  expect(commandLinesOf('authconn', lines)).toEqual([
    ['run', '--token', 'T=a', '--', 'sh', '-c', 'x | y'],
    ['create', 'b', '--client-secret', '- -'],
    ['get', 'a'],
    ['list'],
    ['token', 'a', '--min-ttl', '10m'],
    ['completion', 'bash'],
  ])
})

/** What the documentation says to type is there, in sentences and tables as in blocks that are not run. */
const noCommands = ['authconn key-encryption key id']
const { version } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'))
const released = `authconn@${version}`
const manifest: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

describe.each(pages())('%s', (page) => {
  const { blocks, phrases } = readPage(page)
  const texts = [...blocks, ...phrases].filter(({ text }) => !noCommands.includes(text))
  const found = (program: string) =>
    texts.flatMap(({ line, text }) =>
      commandLinesOf(program, text.replace(/^\$ /gm, '')).map((argv) => ({ line, argv })),
    )

  test('names commands and flags of authconn that there are', async () => {
    const problems = found('authconn').map(async ({ line, argv }) => {
      const problem = await findCommandProblem(argv)
      return problem === undefined ? [] : [`line ${line}: ${problem}`]
    })
    expect((await Promise.all(problems)).flat()).toEqual([])
  })

  test('names commands and flags of authconn-server that there are', () => {
    const problems = found('authconn-server').flatMap(({ line, argv }) => {
      const problem = findServerProblem(argv)
      return problem === undefined ? [] : [`line ${line}: ${problem}`]
    })
    expect(problems).toEqual([])
  })

  test('names scripts and benchmarks that there are', () => {
    const named = texts.flatMap(({ text }) => [
      ...text.matchAll(/npm run (?:-s )?([\w-]+)(?: -- ([a-z][\w-]*))?/g),
    ])
    for (const [line, name = '', operand] of named) {
      expect(manifest.scripts, line).toHaveProperty(name)
      if (name === 'bench' && operand) expect(existsSync(join(root, `bench/${operand}.ts`)), line).toBe(true)
    }
  })

  test('has npx run the version that it goes with, and no other that is published later', () => {
    const run = texts.flatMap(({ text }) => [...text.matchAll(/\bnpx (?:--?[a-z]+ )*(@?authconn\S*)/g)])
    expect(new Set(run.map(([, wanted]) => wanted))).toEqual(run.length > 0 ? new Set([released]) : new Set())
  })

  test('makes no key over one that is there', () => {
    const making = texts.flatMap(({ text }) => text.split('\n').filter((line) => /openssl rand\b.*>/.test(line)))
    expect(making.filter((line) => !/set -o noclobber; .*[^>]> /.test(line))).toEqual([])
  })

  test('names variables that something reads', () => {
    const named = readFileSync(join(root, page), 'utf8').match(/\bAUTHCONN_[A-Z_]+[A-Z]\b/g) ?? []
    expect([...new Set(named)].filter((name) => !isKnownVariable(name))).toEqual([])
  })
})
