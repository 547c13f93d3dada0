import type { BoundClaim, TrustPreset } from '@authconn/shared'
import { describe, expect, test } from 'vitest'
import { checkClaims } from '../../../src/core/trusts/check-claims.ts'
import { findUnfitClaim } from '../../../src/core/trusts/match-claims.ts'
import { patternClaims, presets, weakClaims } from '../../../src/core/trusts/presets.ts'

const bound = (claims: Record<string, string[]>): BoundClaim[] =>
  Object.entries(claims).map(([claim, values]) => ({ claim, values }))
const fits = (claims: Record<string, string[]>, token: Record<string, unknown>) =>
  findUnfitClaim(bound(claims), token) === undefined

describe('bound claims', () => {
  test('hold all of them, or the first that does not is named', () => {
    const claims = { repository_id: ['1', '2'], environment: ['production'] }
    expect(findUnfitClaim(bound(claims), { repository_id: '2', environment: 'production' })).toBeUndefined()
    expect(findUnfitClaim(bound(claims), { repository_id: '3', environment: 'production' })).toBe('repository_id')
    expect(findUnfitClaim(bound(claims), { repository_id: '1' })).toBe('environment')
  })

  test.each<[unknown, string, boolean]>([
    ['main', 'main', true],
    ['main', 'Main', false],
    [' main', 'main', false],
    [true, 'true', true],
    [42, '42', true],
    [-0, '0', true],
    [2 ** 53, '9007199254740992', false],
    [1.5, '1.5', false],
    [null, 'null', false],
    [undefined, 'undefined', false],
    [{ a: 1 }, '[object Object]', false],
    [['a', 'main'], 'main', true],
    [['a', 'b'], 'main', false],
    [['a,main'], 'main', false],
    [[['main']], 'main', false],
    [[], '', false],
  ])('take %j for %j: %s', (value, wanted, expected) => {
    expect(fits({ claim: [wanted] }, { claim: value })).toBe(expected)
  })

  test('read a * in some claims, and take it as it is in all others', () => {
    expect(fits({ ref: ['refs/tags/v*'] }, { ref: 'refs/tags/v1' })).toBe(true)
    expect(fits({ ref: ['refs/tags/v*'] }, { ref: 'refs/heads/refs/tags/v1' })).toBe(false)
    expect(fits({ groups: ['a*'] }, { groups: ['ab'] })).toBe(false)
  })

  test('reach into others by JSON Pointer, and no further than what is there', () => {
    const token = {
      'kubernetes.io': { namespace: 'prod', pod: { uid: 'u-1' } },
      'https://id.example/groups': ['ops'],
      'a/b': { 'c~d': 'x' },
      list: ['y'],
    }
    expect(fits({ '/kubernetes.io/namespace': ['prod'] }, token)).toBe(true)
    expect(fits({ '/kubernetes.io/pod/uid': ['u-1'] }, token)).toBe(true)
    expect(fits({ 'https://id.example/groups': ['ops'] }, token)).toBe(true)
    expect(fits({ '/a~1b/c~0d': ['x'] }, token)).toBe(true)
    expect(fits({ '/~1slash': ['y'] }, { '/slash': 'y' })).toBe(true)
    expect(fits({ 'kubernetes.io.namespace': ['prod'] }, token)).toBe(false)
    expect(fits({ '/kubernetes.io/pod/uid/0': ['u'] }, token)).toBe(false)
    expect(fits({ '/list/0': ['y'] }, token)).toBe(false)
    expect(fits({ '/constructor/name': ['Object'] }, token)).toBe(false)
    expect(fits({ '/list/length': ['1'] }, token)).toBe(false)
  })
})

describe('a trust', () => {
  const refusal = (preset: TrustPreset | undefined, claims: Record<string, string[]>) => {
    try {
      checkClaims(preset, bound(claims))
      return 'taken'
    } catch (error) {
      return (error as Error).message
    }
  }

  test.each<[TrustPreset | undefined, Record<string, string[]>]>([
    ['github', { repository_id: ['1'] }],
    ['github', { repository_owner_id: ['1'], ref: ['refs/tags/v*'] }],
    ['gitlab', { project_id: ['1'], ref_protected: ['true'] }],
    ['kubernetes', { sub: ['system:serviceaccount:prod:deployer'] }],
    ['kubernetes', { '/kubernetes.io/namespace': ['prod'] }],
    ['people', { hd: ['example.com'] }],
    ['people', { email: ['*@example.com'], email_verified: ['true'] }],
    ['people', { groups: ['ops', 'developers'] }],
    [undefined, { sub: ['job-*'] }],
    [undefined, { '/~1slash': ['x'] }],
  ])('in %s may be bound to %j', (preset, claims) => {
    expect(refusal(preset, claims)).toBe('taken')
  })

  test.each<[TrustPreset | undefined, Record<string, string[]>, RegExp]>([
    ['github', { repository: ['octo-org/octo-repo'] }, /one of repository_id, repository_owner_id/],
    ['github', { sub: ['repo:octo-org/octo-repo:*'] }, /one of repository_id/],
    ['github', { environment: ['production'] }, /one of repository_id/],
    ['gitlab', { project_path: ['group/project'], ref_protected: ['true'] }, /one of project_id, namespace_id/],
    ['kubernetes', { sub: ['system:serviceaccount:*'] }, /one of sub/],
    ['people', { email_verified: ['true'] }, /whose token it is/],
    ['people', { email: ['a@example.com'] }, /email_verified is bound to true/],
    ['people', { email: ['a@example.com'], email_verified: ['true', 'false'] }, /email_verified is bound to true/],
    ['people', { email: ['*example.com'], email_verified: ['true'] }, /all of a domain/],
    ['people', { hd: ['*.example.com'] }, /exact values only/],
    [undefined, { aud: ['x'], environment: ['production'] }, /whose token it is/],
    [undefined, { sub: ['*'] }, /at least 4 characters/],
    [undefined, { sub: ['a*'] }, /at least 4 characters/],
    [undefined, { '/a~2': ['x'] }, /no JSON Pointer/],
    [undefined, { '/environment': ['production'] }, /without the \//],
    [undefined, { '/': ['x'] }, /without the \//],
    ['people', { '/email': ['a@example.com'] }, /without the \//],
    ['github', { repository_id: ['1'], '/ref': ['refs/heads/main'] }, /without the \//],
  ])('in %s may not be bound to %j alone', (preset, claims, words) => {
    expect(refusal(preset, claims)).toMatch(words)
  })

  test('does not bind a claim twice, since only one of the two would be meant', () => {
    const twice = [...bound({ repository_id: ['1'] }), ...bound({ repository_id: ['2'] })]
    expect(() => checkClaims('github', twice)).toThrow(/bound twice/)
  })

  test('in a preset is bound to claims that say whose token it is, and that take no patterns but sub', () => {
    for (const { oneOf } of Object.values(presets)) {
      for (const claim of oneOf ?? []) {
        expect(weakClaims).not.toContain(claim)
        if (claim !== 'sub') expect(patternClaims).not.toContain(claim)
      }
    }
  })
})
