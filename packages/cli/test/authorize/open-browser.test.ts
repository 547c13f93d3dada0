import { EventEmitter } from 'node:events'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { openBrowser } from '../../src/authorize/open-browser.ts'
import { sendPerson } from '../../src/authorize/send-person.ts'

// The real one would open a browser on the machine of whoever runs the tests.
const open = vi.hoisted(() => vi.fn())
vi.mock('open', () => ({ default: open }))

beforeEach(() => void open.mockReset())

const opening = async () => {
  const opener = new EventEmitter()
  open.mockResolvedValue(opener)
  const opened = openBrowser('https://id.example/')
  await expect.poll(() => opener.listenerCount('exit')).toBe(1)
  return { opener, opened }
}

describe('a browser that does not open', () => {
  test('since its program cannot be started is told', async () => {
    open.mockRejectedValue(new Error('spawn xdg-open ENOENT'))
    expect(await openBrowser('https://id.example/')).toBe('spawn xdg-open ENOENT')
  })

  test.each([
    ['exit', 3, 'the program that opens it ended with 3'],
    ['error', new Error('spawn xdg-open EACCES'), 'spawn xdg-open EACCES'],
  ] as const)('since its program gives up later, by %s, is told', async (event, value, reason) => {
    const { opener, opened } = await opening()
    opener.emit(event, value)
    expect(await opened).toBe(reason)
  })
})

test('a browser that opens is not told about', async () => {
  const { opener, opened } = await opening()
  opener.emit('exit', 0)
  expect(open).toHaveBeenCalledWith('https://id.example/')
  expect(await opened).toBeUndefined()
})

test.each([
  [{ browser: false, paste: false, timeout: 60 }, {}, /^Go to:$/m],
  [
    { browser: true, paste: false, timeout: 60 },
    { CI: 'true' },
    /^No browser is opened, since this is a CI job\. Go to:$/m,
  ],
])('with %j and %j the person is sent by words alone', (wanted, env, words) => {
  const said: string[] = []
  const ctx = { env, instruct: (text: string) => void said.push(text), warn: () => {} }
  sendPerson(ctx, { id: 'a', url: 'https://id.example/?a', redirectUri: 'http://127.0.0.1:1/callback' }, wanted)
  expect(said.join()).toMatch(words)
  expect(said.join()).toContain('https://id.example/?a')
  expect(said.join()).toContain('exactly like this: http://127.0.0.1:1/callback')
  expect(open).not.toHaveBeenCalled()
})
