import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { commandTable, isGroup } from '../packages/cli/src/command-table.ts'
import { kebab } from '../packages/cli/src/flags.ts'
import { findProgram } from '../packages/server/test/support/find-program.ts'
import { manPage } from '../scripts/lib/man-page.ts'

const page = await manPage()
const plain = page.replaceAll('\\-', '-').replaceAll('\\(dq', '"').replaceAll('\\&', '').replaceAll('\\e', '\\')

test.each(commandTable.flatMap((entry) => (isGroup(entry) ? entry.commands : [entry])))(
  'the man page has $name, with its flags and examples',
  async (entry) => {
    const { flags, examples } = await entry.load()
    expect(plain).toContain(`\n${entry.summary}.\n`)
    for (const [key, { negated, help }] of Object.entries(flags)) {
      expect(plain).toMatch(new RegExp(`^\\.B --${negated ? 'no-' : ''}${kebab(key)}( |$)`, 'm'))
      expect(plain).toContain(help.replaceAll('…', '...'))
    }
    for (const [line] of examples) expect(plain).toContain(`\n${line.replaceAll('…', '...')}\n`)
  },
)

test('the formatter finds nothing wrong with it', (context) => {
  const man = findProgram('man')
  if (man === undefined || findProgram('groff') === undefined) return context.skip('no man with groff here')
  const directory = mkdtempSync(join(tmpdir(), 'authconn-man-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'authconn.1')
  writeFileSync(file, page)
  const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '100', MAN_KEEP_STDERR: '1' }
  const shown = execFileSync('sh', ['-c', `"${man}" --warnings -l "${file}" 2>&1`], { env, encoding: 'utf8' })
  expect(shown).not.toMatch(/roff:.*(?:warning|error)/)
  expect(shown).toContain('authconn token [name] [options]')
})
