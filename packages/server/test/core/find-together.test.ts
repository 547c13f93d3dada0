import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { findTogether } from '../../src/core/grants/find-together.ts'
import type { ConnectionWithGrant } from '../../src/core/ports.ts'

test('many who ask for the same share reads that began after they asked, and others get their own', async () => {
  const reads: string[] = []
  const { find } = findTogether({
    async find(workspaceId, name, subject) {
      reads.push(`${workspaceId} ${name} ${subject}`)
      const seen = { connection: { name }, read: reads.length }
      await sleep(10)
      return seen as unknown as ConnectionWithGrant
    },
  })
  const first = find('w', 'a')
  await sleep(1)
  const asked = Promise.all(Array.from({ length: 500 }, (_, index) => find('w', index % 2 ? 'a' : 'b')))
  const answers = await asked
  expect(reads.length).toBeLessThanOrEqual(10)
  expect(answers.map((each) => each?.connection.name)).toEqual(answers.map((_, index) => (index % 2 ? 'a' : 'b')))
  // Nobody was given what was read before they asked.
  const early = await first
  expect(answers.some((each) => each === early)).toBe(false)
})

test('what a read throws is thrown to all that shared it', async () => {
  const { find } = findTogether({
    find: () => Promise.reject(new Error('gone')),
  })
  const outcomes = await Promise.allSettled([find('w', 'a'), find('w', 'a'), find('w', 'a')])
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
})
