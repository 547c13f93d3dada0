import type { Operation } from '@authconn/shared'
import type { OperationName } from '@authconn/shared/routes'
import { AuthconnError } from './authconn-error.ts'

/**
 * Throws vault_answer_invalid where the answer lacks a field that the contract promises: another server may answer with
 * JSON, too. Fields that are new to this client do no harm.
 */
export function checkAnswer(operation: OperationName, answer: object, origin: string): void {
  const given = new Map<string, unknown>(Object.entries(answer))
  const wrong = Object.entries(promised[operation]).filter(([name, kind]) => !is(kind, given.get(name)))
  if (wrong.length === 0) return
  const names = wrong.map(([name]) => name).join(', ')
  throw new AuthconnError(
    'vault_answer_invalid',
    `${origin} answered without what a vault answers here: ${names}.`,
  )
}

/** Of a type in the contract; `any` is what may be null, which is looked at by nobody but the reader. */
type Kind<T> = [T] extends [string]
  ? 'string'
  : [T] extends [number]
    ? 'number'
    : [T] extends [boolean]
      ? 'boolean'
      : [T] extends [readonly unknown[]]
        ? 'array'
        : [T] extends [object]
          ? 'object'
          : 'any'

/** Every field that is always there, and no other. */
type Promised<R> = { readonly [K in keyof R as object extends Pick<R, K> ? never : K]: Kind<R[K]> }

function is(kind: string, value: unknown): boolean {
  switch (kind) {
    case 'any':
      return value !== undefined
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null
    default:
      return typeof value === kind
  }
}

const grant = {
  status: 'string',
  account: 'any',
  metadata: 'object',
  scope: 'any',
  expires_at: 'any',
  expires_at_assumed: 'boolean',
  refreshable: 'boolean',
  refresh_token_expires_at: 'any',
  last_refreshed_at: 'any',
  next_refresh_at: 'any',
  failures: 'number',
  last_error: 'any',
} as const

const connection = {
  ...grant,
  registration: 'any',
  name: 'string',
  type: 'string',
  provider: 'any',
  provider_url: 'string',
  issuer_url: 'any',
  client_id: 'string',
  token_endpoint_auth_method: 'string',
  client_key: 'any',
  grant_type: 'string',
  token_request: 'any',
  former_client_secret_until: 'any',
  endpoints: 'object',
  pending_revocations: 'number',
  created_at: 'string',
  updated_at: 'string',
} as const

const authorization = {
  id: 'string',
  connection: 'string',
  subject: 'any',
  status: 'string',
  redirect_uri: 'any',
  scopes: 'array',
  failure: 'any',
  failure_code: 'any',
  expires_at: 'string',
} as const

const caller = {
  id: 'string',
  name: 'string',
  permissions: 'array',
  connections: 'array',
  subjects: 'any',
  addresses: 'any',
  created_at: 'string',
  expires_at: 'any',
  revoked_at: 'any',
  last_used_at: 'any',
  former_key_until: 'any',
  trust: 'any',
  identity: 'any',
} as const

const trust = {
  id: 'string',
  name: 'string',
  preset: 'any',
  issuer: 'string',
  audience: 'array',
  jwks_uri: 'any',
  jwks: 'any',
  algorithms: 'array',
  claims: 'array',
  max_age: 'number',
  single_use: 'boolean',
  permissions: 'array',
  connections: 'array',
  subjects: 'any',
  addresses: 'any',
  key_lifetime: 'number',
  login: 'any',
  created_at: 'string',
  expires_at: 'any',
  revoked_at: 'any',
  last_used_at: 'any',
} as const

const workspace = { id: 'string', name: 'string', created_at: 'string' } as const

/** The contract in names, so that no schema library is loaded; its types keep this complete. */
const promised: { readonly [N in OperationName]: Promised<Operation<N>['response']> } = {
  getHealth: { status: 'string' },
  getReadiness: { status: 'string' },
  listProviders: { providers: 'array' },
  createConnection: connection,
  listConnections: { connections: 'array', next: 'any' },
  getConnection: connection,
  updateConnection: connection,
  deleteConnection: { name: 'string', revocations: 'array' },
  listGrants: { grants: 'array', next: 'any' },
  createGrant: { ...grant, subject: 'any' },
  listEvents: { events: 'array', next: 'any' },
  getToken: { access_token: 'string', token_type: 'string', expires_at: 'any', version: 'number' },
  revokeGrant: { connection: 'string', subject: 'any', status: 'string', upstream: 'string', detail: 'any' },
  startAuthorization: { ...authorization, authorization_url: 'string', state: 'string' },
  startDeviceAuthorization: {
    ...authorization,
    user_code: 'string',
    verification_uri: 'string',
    verification_uri_complete: 'any',
  },
  getAuthorization: authorization,
  completeAuthorization: { ...authorization, grant: 'object' },
  cancelAuthorization: authorization,
  getSelf: { ...caller, workspace: 'string' },
  revokeSelf: caller,
  createCaller: { ...caller, api_key: 'string' },
  listCallers: { callers: 'array', next: 'any' },
  rotateCaller: { ...caller, api_key: 'string' },
  revokeCaller: caller,
  createTrust: trust,
  listTrusts: { trusts: 'array', next: 'any' },
  getTrust: trust,
  revokeTrust: trust,
  exchangeToken: {
    access_token: 'string',
    issued_token_type: 'string',
    token_type: 'string',
    expires_in: 'number',
    expires_at: 'string',
    caller: 'string',
    trust: 'string',
    workspace: 'string',
  },
  listLogins: { logins: 'array' },
  listAudit: { records: 'array', next: 'any' },
  verifyAudit: { intact: 'boolean', records: 'number', checkpoints: 'number', problems: 'array', head: 'any' },
  createWorkspace: { ...workspace, administrator: 'object' },
  listWorkspaces: { workspaces: 'array', next: 'any' },
}
