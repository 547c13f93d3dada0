import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { pages, readPage } from './support/read-page.ts'
import { podSpecOf, showsIdentityOfPod } from './support/run-pod.ts'
import { showsIdentity } from './support/run-workflow.ts'
import { testBlocks } from './support/test-blocks.ts'

testBlocks(pages().filter((page) => page.startsWith('docs/guides/')))

// One that did not would be run with the key of whoever reads the page.
test.each([
  ['docs/guides/ci-github.md', showsIdentity],
  ['docs/guides/ci-gitlab.md', showsIdentity],
  ['docs/workload-identity.md', isPodWithIdentity],
])('%s has one job that shows who it is', (page, shows) => {
  const documents = readPage(page).blocks.filter(({ language }) => language === 'yaml')
  expect(documents.filter(({ text }) => shows(parse(text)))).toHaveLength(1)
})

function isPodWithIdentity(document: unknown): boolean {
  const pod = podSpecOf(document)
  return pod !== undefined && showsIdentityOfPod(pod)
}
