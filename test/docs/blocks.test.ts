import { expect, test } from 'vitest'
import { marks, settings } from './pages.ts'
import { markOf } from './support/mark-of.ts'
import { pages, readPage } from './support/read-page.ts'
import { testBlocks } from './support/test-blocks.ts'

/** The guides have a file of their own, which runs beside this one. */
testBlocks(pages().filter((page) => !page.startsWith('docs/guides/')))

test('what is not run is there, and needs no mark more', () => {
  const used = new Set(pages().flatMap((page) => readPage(page).blocks.map(markOf)))
  expect(marks.filter((mark) => !used.has(mark))).toEqual([])
  expect(Object.keys(settings).filter((page) => !pages().includes(page))).toEqual([])
})
