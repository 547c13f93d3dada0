import { describe, expect, test } from 'vitest'
import { authorizing } from '../support/authorizing.ts'
import { fakeVault, Problem } from '../support/fake-vault.ts'
import { run } from '../support/run.ts'
import { connection } from '../support/samples.ts'

const registered = (redirect_uri: string) =>
  connection({ registration: { url: 'https://console.example', redirect_uri, note: null } })

describe('without --redirect-host the browser comes back to', () => {
  test.each([
    ['http://localhost:8080/callback', 'localhost'],
    ['http://[::1]:8080/callback', '[::1]'],
    ['http://127.0.0.1:8080/callback', '127.0.0.1'],
  ])('the host of what is to be registered: %s', async (uri, host) => {
    const { redirectUri, requests } = await authorizing([], { getConnection: () => registered(uri) })
    expect(new URL(redirectUri).hostname).toBe(host)
    expect(requests.at(-1)?.body).toMatchObject({ redirect_uri: redirectUri })
  })

  test('127.0.0.1 where nothing is to be registered in particular', async () => {
    const { redirectUri } = await authorizing([], { getConnection: () => connection() })
    expect(new URL(redirectUri).hostname).toBe('127.0.0.1')
  })

  test('127.0.0.1 where the key may authorize, and not look', async () => {
    const { redirectUri } = await authorizing([], {
      getConnection() {
        throw new Problem('permission_denied', 'It may not.')
      },
    })
    expect(new URL(redirectUri).hostname).toBe('127.0.0.1')
  })
})

test('--redirect-host goes before what is to be registered', async () => {
  const getConnection = () => registered('https://YOUR-HOST/callback')
  const { redirectUri, operations } = await authorizing(['--redirect-host', 'localhost'], { getConnection })
  expect(new URL(redirectUri).hostname).toBe('localhost')
  expect(operations()).toEqual(['startAuthorization'])
})

test('an https redirect URI is refused before anything is begun, with what to do', async () => {
  const { url, requests } = await fakeVault({ getConnection: () => registered('https://YOUR-HOST/callback') })
  const { exitCode, stderr } = await run(['authorize', 'google-oauth', '--no-browser'], { url })
  expect(exitCode).toBe(2)
  expect(stderr).toContain('takes https redirect URIs only')
  expect(stderr).toContain('AUTHCONN_ALLOWED_REDIRECT_URIS')
  expect(requests.map(({ operation }) => operation)).toEqual(['getConnection'])
})
