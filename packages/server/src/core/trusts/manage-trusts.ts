import { randomUUID } from 'node:crypto'
import type { NewTrust } from '@authconn/shared'
import { covers, requireLastingKey, requirePermission } from '../callers/permissions.ts'
import { readAddresses } from '../callers/read-addresses.ts'
import { AuthconnError, invalidPart } from '../errors.ts'
import type { Caller, Page } from '../ports.ts'
import type { NewTrustRow, Trust, TrustStore } from '../trust-port.ts'
import { checkClaims } from './check-claims.ts'
import { defaultAlgorithms, presets, presetsFor } from './presets.ts'
import { readPublicKeys } from './read-public-keys.ts'

export interface ManageTrusts {
  /** Throws permission_denied, trust_exists, invalid_request, provider_address_refused, provider_host_not_allowed. */
  create(by: Caller, wanted: NewTrust): Promise<Trust>
  list(by: Caller, page: Page): Promise<Trust[]>
  /** Throws permission_denied, trust_not_found. */
  get(by: Caller, name: string): Promise<Trust>
  /** Ends the callers that were made by it as well. Throws permission_denied, trust_not_found. */
  revoke(by: Caller, name: string): Promise<Trust>
}

export function createManageTrusts(deps: {
  trusts: TrustStore
  /** Throws invalid_request, provider_address_refused, provider_host_not_allowed for a URL that cannot be used. */
  checkUrl(field: 'issuer' | 'jwks_uri', url: string, options: { isCalled: boolean }): void
}): ManageTrusts {
  const { trusts } = deps

  async function get(by: Caller, name: string): Promise<Trust> {
    requirePermission(by, 'caller:manage')
    const trust = await trusts.find(by.workspaceId, name)
    if (!trust) throw new AuthconnError('trust_not_found')
    return trust
  }

  return {
    async create(by, wanted) {
      requirePermission(by, 'caller:manage')
      requireLastingKey(by)
      const isCalled = wanted.jwks === undefined && wanted.jwks_uri === undefined
      deps.checkUrl('issuer', wanted.issuer, { isCalled })
      if (wanted.jwks_uri !== undefined) deps.checkUrl('jwks_uri', wanted.jwks_uri, { isCalled: true })
      const trust = toRow(by, wanted)
      if (!covers(by, trust)) {
        throw new AuthconnError(
          'permission_denied',
          `The key "${by.name}" cannot give permissions, connections, subjects, addresses or a lifetime beyond its own`,
        )
      }
      if (trust.expiresAt !== null && trust.expiresAt.getTime() <= Date.now()) {
        throw invalidPart('/body/expires_at', 'lies in the past')
      }
      const inserted = await trusts.insert(trust)
      if (!inserted) throw new AuthconnError('trust_exists', `There is a trust named "${wanted.name}" already`)
      return inserted
    },

    async list(by, page) {
      requirePermission(by, 'caller:manage')
      return trusts.list(by.workspaceId, page)
    },

    get,

    async revoke(by, name) {
      const trust = await get(by, name)
      // As with callers: a limited manager could lock out those above it.
      if (!covers(by, trust)) {
        throw new AuthconnError('permission_denied', `The key "${by.name}" holds less than the trust "${name}"`)
      }
      const revoked = await trusts.revoke(by.workspaceId, name)
      if (!revoked) throw new AuthconnError('trust_not_found')
      return revoked
    },
  }
}

function toRow(by: Caller, wanted: NewTrust): NewTrustRow {
  const usual = presets[wanted.preset ?? 'generic']
  const fitting = presetsFor(wanted.issuer)
  if (fitting && (wanted.preset === undefined || !fitting.includes(wanted.preset))) {
    throw invalidPart(
      '/body/preset',
      `must be ${fitting.join(' or ')} for this issuer, which signs tokens for everybody`,
    )
  }
  checkClaims(wanted.preset, wanted.claims)
  if (wanted.jwks !== undefined && wanted.jwks_uri !== undefined) {
    throw invalidPart('/body/jwks', 'must be left out where jwks_uri is given')
  }
  if (wanted.login !== undefined && wanted.preset !== 'people') {
    throw invalidPart('/body/login', 'is for the preset people alone')
  }
  const keyLifetime = wanted.key_lifetime ?? usual.keyLifetime
  if (keyLifetime > usual.longestKeyLifetime) {
    throw invalidPart(
      '/body/key_lifetime',
      `must be ${usual.longestKeyLifetime} at most for ${wanted.preset ?? 'this trust'}`,
    )
  }
  return {
    id: randomUUID(),
    workspaceId: by.workspaceId,
    name: wanted.name,
    preset: wanted.preset ?? null,
    issuer: wanted.issuer,
    audience: wanted.audience,
    jwksUri: wanted.jwks_uri ?? null,
    jwks: wanted.jwks === undefined ? null : readPublicKeys(wanted.jwks.keys),
    algorithms: wanted.algorithms ?? [...defaultAlgorithms],
    claims: wanted.claims,
    maxAge: wanted.max_age ?? usual.maxAge,
    singleUse: wanted.single_use ?? usual.singleUse,
    permissions: wanted.permissions,
    connections: wanted.connections ?? by.connections,
    subjects: wanted.subjects === undefined ? by.subjects : wanted.subjects,
    addresses: wanted.addresses === undefined ? by.addresses : readAddresses(wanted.addresses),
    keyLifetime,
    login: wanted.login ?? null,
    expiresAt: wanted.expires_at === undefined ? by.expiresAt : toDate(wanted.expires_at),
  }
}

/** A leap second is a valid date-time (RFC 3339 section 5.6), and no moment that a Date or a database has. */
function toDate(text: string): Date {
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw invalidPart('/body/expires_at', 'is no moment: its seconds end at 59')
}
