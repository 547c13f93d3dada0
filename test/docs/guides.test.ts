import { pages } from './support/read-page.ts'
import { testBlocks } from './support/test-blocks.ts'

testBlocks(pages().filter((page) => page.startsWith('docs/guides/')))
