import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

test('what the vault tells the garbage collector, this Node understands', () => {
  const file = pathToFileURL(join(import.meta.dirname, '../../src/tune-collector.ts'))
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', `import { tuneCollector } from ${JSON.stringify(file)}; tuneCollector()`],
    { encoding: 'utf8' },
  )
  // V8 says on standard error what it does not know.
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})
