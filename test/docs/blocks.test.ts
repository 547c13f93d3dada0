import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { marks, pending, settings } from './pages.ts'
import { settle } from './settle.ts'
import { missingPrograms } from './support/missing-programs.ts'
import { type Block, pages, readPage } from './support/read-page.ts'
import { runBlock } from './support/run-block.ts'
import { type DocsWorld, startDocsWorld } from './support/start-docs-world.ts'

/** Every block of code in the documentation, in the order of its page, as somebody who reads it there would run it. */
const missing = missingPrograms()
let world: DocsWorld
beforeAll(async () => {
  if (missing === '') world = await startDocsWorld(inject('postgresUrl'))
})
afterAll(() => world?.stop())

const used = new Set<(typeof marks)[number]>()
const read = pages()
  .filter((page) => !pending.pages.includes(page))
  .map((page) => ({ page, blocks: readPage(page).blocks.filter((block) => !isMarked(block)) }))

describe.each(read.filter(({ blocks }) => blocks.length > 0))('$page', ({ page, blocks }) => {
  const setting = settings[page] ?? {}
  let cwd = ''
  beforeAll(async () => {
    if (missing === '') cwd = await settle(world, page, setting)
  })
  afterAll(() => world?.endPrograms())

  test.for(blocks)('$language in line $line', { timeout: 60_000 }, async (block, { skip }) => {
    if (missing !== '') skip(missing)
    await runBlock(block, { cwd, world, setting })
  })
})

test('what is not run is there, and needs no mark more', () => {
  expect(marks.filter((mark) => !used.has(mark))).toEqual([])
  expect(Object.keys(settings).filter((page) => ![...pages(), ...pending.pages].includes(page))).toEqual([])
})

function isMarked({ page, text }: Block): boolean {
  const found = marks.find((mark) => mark.page === page && text.includes(mark.has))
  if (found) used.add(found)
  return found !== undefined
}
