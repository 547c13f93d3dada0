import { describe, expect, test } from 'vitest'
import { checkRedirectUri, isRedirectTo } from '../../src/core/connections/redirect-uri.ts'

describe('a redirect URI', () => {
  test.each([
    'http://127.0.0.1:8080/callback',
    'http://[::1]:50123/callback',
    'http://localhost:8080/callback',
    'https://app.example.com/oauth/callback',
  ])('%s is allowed', (uri) => {
    expect(checkRedirectUri(uri, ['https://app.example.com/oauth/callback'])).toBe(uri)
  })

  test.each([
    ['another host', 'http://example.com/callback'],
    ['another host over TLS', 'https://example.com/callback'],
    ['a path beside the listed one', 'https://app.example.com/oauth/callback/more'],
    ['the listed one with a query', 'https://app.example.com/oauth/callback?next=1'],
    ['a host that begins like loopback', 'http://127.0.0.1.example.com/callback'],
    ['loopback as user name', 'http://127.0.0.1@example.com/callback'],
    ['a user name at loopback', 'http://someone@127.0.0.1:8080/callback'],
    ['loopback in a spelling of its own', 'http://127.1:8080/callback'],
    ['loopback as a number', 'http://2130706433:8080/callback'],
    ['another address of loopback', 'http://127.0.0.2:8080/callback'],
    ['the unspecified address', 'http://0.0.0.0:8080/callback'],
    ['a fragment', 'http://127.0.0.1:8080/callback#x'],
    ['an empty fragment', 'http://127.0.0.1:8080/callback#'],
    ['a query', 'http://127.0.0.1:8080/callback?x=1'],
    ['TLS on loopback', 'https://127.0.0.1:8080/callback'],
    ['a script', 'javascript:alert(1)'],
    ['no URL', 'callback'],
    ['dots in its path', 'http://127.0.0.1:8080/a/../callback'],
  ])('with %s is refused', (_what, uri) => {
    expect(() => checkRedirectUri(uri, ['https://app.example.com/oauth/callback'])).toThrowError(
      expect.objectContaining({ code: 'redirect_uri_not_allowed' }),
    )
  })

  test('is matched exactly', () => {
    const uri = 'http://127.0.0.1:8080/callback'
    expect(isRedirectTo(new URL(`${uri}?code=1&state=2`), uri)).toBe(true)
    expect(isRedirectTo(new URL('http://127.0.0.1:8081/callback?code=1'), uri)).toBe(false)
    expect(isRedirectTo(new URL('http://localhost:8080/callback?code=1'), uri)).toBe(false)
    expect(isRedirectTo(new URL(`${uri}/x?code=1`), uri)).toBe(false)
    expect(isRedirectTo(new URL('http://user@127.0.0.1:8080/callback?code=1'), uri)).toBe(false)
    const withQuery = 'https://app.example.com/callback?tenant=a'
    expect(isRedirectTo(new URL(`${withQuery}&code=1`), withQuery)).toBe(true)
    expect(isRedirectTo(new URL('https://app.example.com/callback?code=1'), withQuery)).toBe(false)
    expect(isRedirectTo(new URL('https://app.example.com/callback?tenant=b&code=1'), withQuery)).toBe(false)
    expect(isRedirectTo(new URL(`${withQuery}&tenant=b&code=1`), withQuery)).toBe(false)
  })
})
