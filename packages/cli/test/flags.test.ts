import { AuthconnError } from '@authconn/sdk'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { duration, list, moment, several } from '../src/flags.ts'

describe('a time', () => {
  const flag = duration('how long', { from: 60, to: 7 * 86_400 })
  const parse = (given: string) => flag.parse?.(given, '--overlap', undefined)

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

describe('a moment', () => {
  afterEach(() => void vi.useRealTimers())
  const ahead = (given: string) => moment('when', 'ahead').parse?.(given, '--expires', undefined)
  const back = (given: string) => moment('when', 'back').parse?.(given, '--since', undefined)

  test.each([
    ['90d', '2026-05-01T12:00:00.000Z', '2025-11-02T12:00:00.000Z'],
    ['2h', '2026-01-31T14:00:00.000Z', '2026-01-31T10:00:00.000Z'],
    ['30m', '2026-01-31T12:30:00.000Z', '2026-01-31T11:30:00.000Z'],
    ['0s', '2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.000Z'],
  ])('%s lies ahead or back from now', (given, later, earlier) => {
    vi.useFakeTimers({ now: new Date('2026-01-31T12:00:00Z') })
    expect(ahead(given)).toBe(later)
    expect(back(given)).toBe(earlier)
  })

  test.each([
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    ['2027-01-31T12:30Z', '2027-01-31T12:30:00.000Z'],
    ['2027-01-31T12:30:15.250Z', '2027-01-31T12:30:15.250Z'],
    ['2027-01-31T00:00:00+02:00', '2027-01-30T22:00:00.000Z'],
  ])('%s is %s, whichever way', (given, iso) => {
    expect(ahead(given)).toBe(iso)
    expect(back(given)).toBe(iso)
  })

  test.each([
    ...['', '90', 'd', '-1d', '1.5h', '1w', '1h30m', '999999d', 'tomorrow', '2027', '2027-1-31', '31.1.2027'],
    ...['2027-02-29', '2027-13-01', '2027-02-30T00:00:00Z', '2027-01-31 12:00', '2027-01-31T12:00', '٩٠d'],
    ...['2027-01-31T25:00:00Z', '2027-01-31T12:00:00+99:00', '2027-01-31T12:00:00Z '],
  ])('%j is none', (given) => {
    expect(() => ahead(given)).toThrow('--expires takes a time such as 30m, 12h or 90d, or a date')
  })
})

describe('several values', () => {
  test('come in one word or in several flags, each once', () => {
    const { parse } = list('LIST', 'what')
    expect(parse?.('a,b', '--allow', undefined)).toEqual(['a', 'b'])
    expect(parse?.(' b, c ', '--allow', ['a', 'b'])).toEqual(['a', 'b', 'c'])
    for (const empty of ['', ',', ' ']) {
      expect(() => parse?.(empty, '--allow', ['a'])).toThrow('--allow was given without a value')
    }
  })

  test('that may hold anything are not taken apart', () => {
    const { parse } = several('SUBJECT', 'who')
    expect(parse?.('doe, jane', '--subject', ['a'])).toEqual(['a', 'doe, jane'])
  })
})
