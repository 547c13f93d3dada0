import Fastify from 'fastify'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { AuthconnError } from '../../src/core/errors.ts'
import { createErrorHandler } from '../../src/http/problem.ts'
import { describeError } from '../../src/logger.ts'

async function logOf(error: Error) {
  const lines: string[] = []
  const loggerInstance = pino(
    { serializers: { error: describeError } },
    { write: (line: string) => void lines.push(line) },
  )
  const app = Fastify({ loggerInstance })
  app.setErrorHandler(createErrorHandler((thrown) => thrown === gone))
  app.get('/', () => {
    throw error
  })
  await app.inject('/')
  return lines.map((line) => JSON.parse(line)).find((line) => line.msg === 'request failed')
}

const gone = new Error('connect ECONNREFUSED')
const [warn, error] = [40, 50]

test('what may happen on any day is logged as a warning that names its cause, without a stack', async () => {
  expect(await logOf(new AuthconnError('refresh_in_progress'))).toMatchObject({
    level: warn,
    code: 'refresh_in_progress',
  })
  const line = await logOf(gone)
  expect(line).toMatchObject({ level: warn, code: 'database_unavailable', cause: 'connect ECONNREFUSED' })
  expect(JSON.stringify(line)).not.toContain('stack')
})

test('what should not happen is logged as an error with its stack', async () => {
  const line = await logOf(new TypeError('a defect'))
  expect(line).toMatchObject({ level: error, error: { name: 'TypeError' } })
  expect(line.error.stack).toContain('at ')
})
