import { expect, test } from 'vitest'
import { createBackground } from '../../src/background.ts'
import { AuthconnError } from '../../src/core/errors.ts'

test('what core has logged already is not logged again, and a defect is an error', async () => {
  const lines: string[] = []
  const line = (level: string) => (fields: object) => {
    lines.push(`${level} ${String(Object.values(fields)[0])}`)
  }
  const background = createBackground({ info: line('info'), warn: line('warn'), error: line('error') })
  background.add(Promise.reject(new AuthconnError('provider_unavailable', 'no answer')))
  background.add(Promise.reject(new TypeError('a defect')))
  await background.settle()
  expect(lines).toEqual(['error TypeError: a defect'])
})
