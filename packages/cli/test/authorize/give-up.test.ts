import { createClient } from '@authconn/sdk'
import { expect, test } from 'vitest'
import { giveUp } from '../../src/authorize/give-up.ts'
import { cliPath, startChild } from '../e2e/support/child.ts'
import { withoutUrl } from '../support/authorizing.ts'
import { fakeVault, type Handlers, Problem } from '../support/fake-vault.ts'
import { started } from '../support/samples.ts'

async function gaveUp(handlers: Handlers) {
  const { url } = await fakeVault(handlers)
  const told: string[] = []
  const tell = (words: string) => void told.push(words)
  const fate = await giveUp({ say: tell, warn: tell }, createClient({ url, apiKey: 'ak_test' }), started())
  return { told: told.join('\n'), became: fate.became }
}

const over = () => {
  throw new Problem('authorization_over', 'over')
}

test('a cancelled authorization is told', async () => {
  const end = await gaveUp({ cancelAuthorization: () => ({ ...withoutUrl(), status: 'failed' }) })
  expect(end).toEqual({ told: 'The authorization is cancelled in the vault.', became: 'over' })
})

test('one that has failed in the vault already needs no words', async () => {
  const getAuthorization = () => ({ ...withoutUrl(), status: 'failed' as const })
  expect(await gaveUp({ cancelAuthorization: over, getAuthorization })).toEqual({ told: '', became: 'over' })
})

test('one that the vault has completed is not over', async () => {
  const getAuthorization = () => ({ ...withoutUrl(), status: 'completed' as const })
  expect((await gaveUp({ cancelAuthorization: over, getAuthorization })).became).toBe('completed')
})

test('one whose fate the vault does not tell is told as not cancelled', async () => {
  const getAuthorization = () => {
    throw new Problem('database_unavailable', 'the database is gone')
  }
  expect(await gaveUp({ cancelAuthorization: over, getAuthorization })).toEqual({
    told: 'the authorization could not be cancelled (the database is gone). It ends by itself at 2030-01-01T00:00:00.000Z.',
    became: 'unknown',
  })
})

test('a vault that does not answer is waited for 3 seconds', async () => {
  const began = Date.now()
  const { told, became } = await gaveUp({ cancelAuthorization: () => new Promise(() => {}) })
  expect(told).toContain('no answer within 3 seconds')
  expect(became).toBe('unknown')
  expect(Date.now() - began).toBeLessThan(6000)
})

test.skipIf(process.platform === 'win32')('a second Ctrl-C does not wait for it', async () => {
  const { url, requests } = await fakeVault({
    startAuthorization: () => started(),
    cancelAuthorization: () => new Promise(() => {}),
  })
  const env = { AUTHCONN_URL: url, AUTHCONN_API_KEY: 'ak_test' }
  const child = startChild(
    cliPath,
    ['authorize', 'a', '--redirect-host', '127.0.0.1', '--port', '0', '--no-browser'],
    env,
  )
  await expect.poll(() => child.stderr(), { timeout: 10_000 }).toContain('Ctrl-C ends it')
  child.process.kill('SIGINT')
  await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(2)
  const began = Date.now()
  child.process.kill('SIGINT')
  expect(await child.ended).toEqual({ exitCode: 130, signal: null })
  expect(Date.now() - began).toBeLessThan(2500)
})
