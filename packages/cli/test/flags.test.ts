import { AuthconnError } from '@authconn/sdk'
import { describe, expect, test } from 'vitest'
import { duration } from '../src/flags.ts'

describe('a time', () => {
  const flag = duration('how long', { from: 60, to: 7 * 86_400 })
  const parse = (given: string) => flag.parse?.(given, '--overlap')

  test.each([
    ['90', 90],
    ['90s', 90],
    ['10m', 600],
    ['1h', 3600],
    ['2d', 172_800],
    ['0060s', 60],
    ['604800', 604_800],
    ['7d', 604_800],
  ])('%s is %i seconds', (given, seconds) => {
    expect(parse(given)).toBe(seconds)
  })

  test.each([
    '',
    's',
    '1.5h',
    '-90',
    '90 s',
    '90S',
    '1w',
    '1h30m',
    '1e3',
    '0x5a',
    '٩٠s',
    'Infinity',
    '9'.repeat(20),
  ])('%j is none', (given) => {
    expect(() => parse(given)).toThrow(AuthconnError)
  })

  test.each(['0', '59', '59s', '604801', '8d'])('%s is out of the range, which is told', (given) => {
    expect(() => parse(given)).toThrow('--overlap takes a time from 1 min to 7 days, such as 90s, 10m, 1h or 2d.')
  })
})
