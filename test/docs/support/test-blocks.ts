import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { settings } from '../pages.ts'
import { settle } from '../settle.ts'
import { markOf } from './mark-of.ts'
import { missingPrograms } from './missing-programs.ts'
import { readPage } from './read-page.ts'
import { runBlock } from './run-block.ts'
import { type DocsWorld, startDocsWorld } from './start-docs-world.ts'

/** Tests every block of code of these pages, in the order of its page, as somebody who reads it there would run it. */
export function testBlocks(pages: readonly string[]): void {
  const missing = missingPrograms()
  let world: DocsWorld
  beforeAll(async () => {
    if (missing === '') world = await startDocsWorld(inject('postgresUrl'))
  })
  afterAll(() => world?.stop())

  const read = pages.map((page) => ({ page, blocks: readPage(page).blocks.filter((block) => !markOf(block)) }))
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
}
