import { PassThrough } from 'node:stream'
import { AuthconnError } from '@authconn/sdk'
import { describe, expect, test } from 'vitest'
import { subjectFlag } from '../src/output/command-line.ts'
import { paintFor } from '../src/output/paint.ts'
import { plain, plainLine } from '../src/output/plain.ts'
import { reportError } from '../src/output/report-error.ts'
import { duration, timeLeft, timeUntil } from '../src/output/time.ts'

function reported(error: unknown, env: Record<string, string> = {}, json = false) {
  const stderr = new PassThrough()
  const exitCode = reportError(error, { stderr, env }, json)
  return { exitCode, words: String(stderr.read()) }
}

describe('an error', () => {
  test('that nobody expected is short, and has its stack only for debugging', () => {
    const short = reported(new TypeError('x is not a function'))
    expect(short.exitCode).toBe(1)
    expect(short.words).toContain('[internal_error]')
    expect(short.words).toContain('x is not a function')
    expect(short.words).not.toContain('    at ')
    expect(reported(new TypeError('x'), { AUTHCONN_DEBUG: '1' }).words).toContain('    at ')
  })

  test('of ours never has a stack', () => {
    const { words } = reported(new AuthconnError('port_taken', 'taken'), { AUTHCONN_DEBUG: '1' })
    expect(words).not.toContain('    at ')
  })

  test('at a question says that nothing was changed, which is not known of any other interruption', () => {
    const atQuestion = Object.assign(new Error('closed'), { name: 'ExitPromptError' })
    const cause = new AuthconnError('interrupted', 'Stopped by SIGTERM.')
    const aborted = Object.assign(new Error('aborted', { cause }), { name: 'AbortPromptError' })
    expect(reported(atQuestion)).toMatchObject({
      exitCode: 130,
      words: expect.stringContaining('Nothing was changed'),
    })
    expect(reported(aborted).words).toMatch(/Stopped by SIGTERM[\s\S]*Nothing was changed/)
    expect(reported(cause).words).not.toContain('Nothing was changed')
    expect(reported(cause).words).toContain('authconn list')
  })

  test('lets no text from elsewhere steer the terminal', () => {
    const error = new AuthconnError('authorization_denied', 'no \u001b[2J\u009b1m\u202e', {
      requestId: 'a\u0007\nb',
    })
    expect(reported(error).words).not.toMatch(/[\u001b\u009b\u202e\u0007]/)
    expect(reported(error, {}, true).words).not.toMatch(/[\u001b\u009b\u202e\u0007]/)
  })

  test('says when to try again', () => {
    expect(reported(new AuthconnError('not_ready', 'starting', { retryAfter: 7 })).words).toContain(
      'Try again after: 7 s',
    )
  })
})

test('text from elsewhere keeps its line breaks, or none', () => {
  expect(plain('a\nb\r\u001b')).toBe('a\nb\ufffd\ufffd')
  expect(plainLine('a\nb')).toBe('a b')
})

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ TERM: 'dumb' }, true, false],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
])('colors with %j and a terminal: %s', (env, isTTY, colorful) => {
  expect(paintFor({ isTTY }, env).red('x') !== 'x').toBe(colorful)
})

test.each([
  [59, '59 s'],
  [60, '1 min'],
  [3599, '59 min'],
  [3600, '1 h'],
  [5400, '1 h 30 min'],
  [172_800, '2 days'],
  [604_799, '6 days 23 h'],
])('%i seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words)
})

test('what has passed has ended', () => {
  expect(timeLeft('2026-01-01T00:00:00.000Z', new Date('2026-01-01T00:00:00.000Z'))).toBe('ended')
  expect(timeLeft('2026-01-01T00:01:00.000Z', new Date('2026-01-01T00:00:00.000Z'))).toBe('1 min')
})

test('what is to come is some time off, or due', () => {
  expect(timeUntil('2026-01-01T00:01:00.000Z', new Date('2026-01-01T00:00:00.000Z'))).toBe('in 1 min')
  expect(timeUntil('2026-01-01T00:00:00.000Z', new Date('2026-01-01T00:00:00.000Z'))).toBe('now')
})

test.each([
  [null, ''],
  ['user-17', ' --subject user-17'],
  ['a b', " --subject 'a b'"],
  ["it's $(x)", ` --subject 'it'\\''s $(x)'`],
])('the subject %j can be copied into a shell', (subject, flag) => {
  expect(subjectFlag(subject)).toBe(flag)
})
