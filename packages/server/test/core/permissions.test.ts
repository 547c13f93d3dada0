import type { Permission } from '@authconn/shared'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { covers, matches, requireAllSubjects, requirePermission } from '../../src/core/callers/permissions.ts'
import type { Caller } from '../../src/core/ports.ts'

const caller = (given: Partial<Caller> = {}): Caller => ({
  id: 'id',
  workspaceId: 'workspace',
  name: 'ci',
  permissions: ['token:read'],
  connections: ['google-*'],
  subjects: ['user-*'],
  addresses: null,
  createdAt: new Date(0),
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  formerKeyUntil: null,
  trustId: null,
  identity: null,
  ...given,
})

describe('a permission', () => {
  const denied = expect.objectContaining({ code: 'permission_denied' })

  test('holds on the connections and subjects it names', () => {
    expect(() =>
      requirePermission(caller(), 'token:read', { connection: 'google-dev', subject: 'user-1' }),
    ).not.toThrow()
    expect(() =>
      requirePermission(caller(), 'token:read', { connection: 'google-dev', subject: '' }),
    ).not.toThrow()
    expect(() =>
      requirePermission(caller({ subjects: null }), 'token:read', { connection: 'google-a', subject: 'x' }),
    ).not.toThrow()
  })

  test.each([
    ['another permission', 'connection:manage', {}],
    ['another connection', 'token:read', { connection: 'github' }],
    ['a connection with the pattern inside', 'token:read', { connection: 'my-google-dev' }],
    ['another subject', 'token:read', { connection: 'google-dev', subject: 'admin' }],
  ] as const)('does not hold for %s', (_what, permission, on) => {
    expect(() => requirePermission(caller(), permission, on)).toThrowError(denied)
  })
})

test('only a caller for all subjects may do what reaches the grants of all', () => {
  for (const subjects of [null, ['*'], ['alice', '**']]) {
    expect(() => requireAllSubjects(caller({ subjects }), 'connection:manage')).not.toThrow()
  }
  for (const subjects of [[], ['alice'], ['a*', '*b']]) {
    expect(() => requireAllSubjects(caller({ subjects }), 'connection:manage')).toThrowError(
      expect.objectContaining({
        code: 'permission_denied',
        message: expect.stringContaining('some subjects only'),
      }),
    )
  }
})

describe('a pattern', () => {
  test('matches what a regular expression with .* would', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 10 })
    fc.assert(
      fc.property(letters, text, (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`)
        expect(matches(pattern, name)).toBe(expression.test(name))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a caller that manages callers', () => {
  const manager = caller({ permissions: ['caller:manage', 'token:read'] })
  const wanted = {
    permissions: ['token:read' as const],
    connections: ['google-*'],
    subjects: ['user-*'],
    addresses: null,
    expiresAt: null,
  }

  test('may give what it holds, or less, and so covers itself', () => {
    expect(covers(manager, manager)).toBe(true)
    expect(covers(manager, { ...wanted, connections: ['google-dev'], subjects: [] })).toBe(true)
    expect(covers(manager, { ...wanted, connections: ['google-a*'], subjects: ['user-1'] })).toBe(true)
    expect(covers(manager, { ...wanted, addresses: ['10.0.0.0/8'] })).toBe(true)
  })

  test.each([
    ['another permission', { permissions: ['refresh_token:read' as const] }],
    ['more connections', { connections: ['*'] }],
    ['other connections', { connections: ['google-a', 'github'] }],
    ['all subjects', { subjects: null }],
    ['other subjects', { subjects: ['*'] }],
  ])('may not give %s', (_what, more) => {
    expect(covers(manager, { ...wanted, ...more })).toBe(false)
  })

  test('may not give a longer life than its own', () => {
    const ending = { ...manager, expiresAt: new Date(1000) }
    expect(covers(ending, { ...wanted, expiresAt: null })).toBe(false)
    expect(covers(ending, { ...wanted, expiresAt: new Date(1001) })).toBe(false)
    expect(covers(ending, { ...wanted, expiresAt: new Date(1000) })).toBe(true)
  })

  test.each([
    [['10.1.0.0/16'], true],
    [['10.0.0.0/8'], true],
    [['10.1.2.3', '2001:db8::1'], true],
    [null, false],
    [['10.0.0.0/7'], false],
    [['10.1.2.3', '11.0.0.1'], false],
    [['0.0.0.0/0'], false],
    [['::/0'], false],
    [['192.0.2.0/24'], false],
  ])('bound to addresses may bind others to %j: %s', (addresses, may) => {
    // The last two make up 192.0.2.0/24 between them, which is not looked for.
    const bound = {
      ...manager,
      addresses: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.0/25', '192.0.2.128/25'],
    }
    expect(covers(bound, { ...wanted, addresses })).toBe(may)
  })

  test('never gives anything that reaches a connection the manager does not reach', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 5 })
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(pattern, pattern, name, (held, given, connection) => {
        const holder = caller({ connections: [held] })
        fc.pre(covers(holder, { ...wanted, connections: [given] }) && matches(given, connection))
        expect(matches(held, connection)).toBe(true)
      }),
    )
  })
})

describe('an administrator of the workspace', () => {
  const admin = caller({ permissions: ['caller:manage', 'workspace:admin'], connections: ['*'], subjects: null })
  const wanted = (permission: Permission) => ({ ...admin, permissions: [permission] })

  test('may give permissions it does not hold', () => {
    expect(covers(admin, wanted('refresh_token:read'))).toBe(true)
  })

  test.each(['vault:operate', 'metrics:read'] as const)(
    'may not give %s, which reaches beyond the workspace, unless it holds it',
    (permission) => {
      expect(covers(admin, wanted(permission))).toBe(false)
      expect(covers({ ...admin, permissions: ['caller:manage', permission] }, wanted(permission))).toBe(true)
    },
  )
})
