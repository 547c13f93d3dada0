import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generatedDocs } from './lib/generated-docs.ts'

// Writes the pages that are made from the code, docs/errors.md and docs/settings.md, and the tables of
// docs/performance.md and docs/security.md.

for (const { path, text } of generatedDocs()) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url))
  writeFileSync(file, text)
  console.log(`wrote ${path}`)
}
