import { describe, expect, test } from 'vitest'
import { createCheckIssuerUrl } from '../../src/adapters/identity/check-issuer-url.ts'

const check = createCheckIssuerUrl({ allowLoopback: false, allowedHosts: ['id.example.com'] })

describe('the URL of an issuer', () => {
  test.each([
    ['https://other.example.com', 'provider_host_not_allowed'],
    ['https://10.0.0.1', 'provider_address_refused'],
    ['https://localhost:6443', 'provider_address_refused'],
  ])('%s, whose keys are fetched from there, is judged as all that is called', (url, code) => {
    expect(() => check('issuer', url, { isCalled: true })).toThrow(expect.objectContaining({ code }))
    // Its keys come from elsewhere, and what is inside of a cluster cannot be reached anyway.
    expect(() => check('issuer', url, { isCalled: false })).not.toThrow()
    expect(() => check('jwks_uri', url, { isCalled: true })).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    'http://id.example.com',
    'http://10.0.0.1',
    'ftp://10.0.0.1',
    'https://id.example.com/?a=b',
    'https://id.example.com/#a',
    'https://a:b@id.example.com',
    'issuer',
  ])('%s is none whether it is called or not', (url) => {
    const invalid = expect.objectContaining({ code: 'invalid_request' })
    expect(() => check('issuer', url, { isCalled: false })).toThrow(invalid)
    // At such an address nothing is called in the first place.
    if (!url.includes('10.0.0.1')) expect(() => check('issuer', url, { isCalled: true })).toThrow(invalid)
  })
})
