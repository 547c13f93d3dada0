import type {
  Account,
  AuditOutcome,
  AuthMethod,
  BoundClaim,
  EventType,
  GrantStatus,
  GrantType,
  Permission,
  ProviderEndpoints,
  TokenRequest,
  TrustAlgorithm,
  TrustPreset,
} from '@authconn/shared'
import type { ColumnType, Generated, JSONColumnType, Kysely } from 'kysely'
import type { CheckpointContent } from '../../core/audit-port.ts'
import type { ClientKeyFacts } from '../../core/connections/client-key.ts'
import type { Failure, LastError } from '../../core/grant-port.ts'
import type { PublicKeys, Trust } from '../../core/trust-port.ts'

/** The tables as the migrations leave them. Rows stay inside the stores. */
export interface Tables {
  workspaces: { id: string; name: string; created_at: Generated<Date> }
  data_keys: {
    id: string
    workspace_id: string
    version: number
    kek_id: string
    wrapped: Uint8Array
    /** Values that may have been sealed with it. A bigint, which drivers give as text. */
    uses: ColumnType<string, undefined, string>
    /** Since when nothing has been found that is sealed with it. */
    unused_since: ColumnType<Date | null, undefined, Date | null>
    created_at: Generated<Date>
  }
  callers: {
    id: string
    workspace_id: string
    name: string
    permissions: Permission[]
    connections: string[]
    subjects: string[] | null
    addresses: Generated<string[] | null>
    created_at: Generated<Date>
    expires_at: Date | null
    revoked_at: Generated<Date | null>
    last_used_at: ColumnType<Date | null, undefined, Date | null>
    /** The trust that it was made by from a token, and whose token that was (`sub`). */
    trust_id: Generated<string | null>
    identity: Generated<string | null>
  }
  caller_keys: {
    key_hash: Uint8Array
    caller_id: string
    created_at: Generated<Date>
    /** Set when another key has taken its place. */
    ends_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  }
  trusts: {
    id: string
    workspace_id: string
    name: string
    preset: TrustPreset | null
    issuer: string
    audience: string[]
    jwks_uri: string | null
    jwks: ColumnType<PublicKeys | null, string | null, never>
    algorithms: TrustAlgorithm[]
    claims: JSONColumnType<BoundClaim[]>
    max_age: number
    single_use: boolean
    permissions: Permission[]
    connections: string[]
    subjects: string[] | null
    addresses: string[] | null
    key_lifetime: number
    login: ColumnType<Trust['login'], string | null, never>
    created_at: Generated<Date>
    expires_at: Date | null
    revoked_at: Generated<Date | null>
    last_used_at: ColumnType<Date | null, undefined, Date | null>
  }
  /** Tokens that were exchanged, by what they are known by again. */
  used_identities: {
    token_hash: Uint8Array
    uses: number
    ends_at: Date
  }
  connections: {
    id: string
    workspace_id: string
    name: string
    provider: string | null
    provider_url: string
    issuer_url: string | null
    issuer: string | null
    client_id: string
    client_secret: Uint8Array
    former_client_secret: Generated<Uint8Array | null>
    former_client_secret_until: ColumnType<Date | null, undefined, Date | null>
    token_endpoint_auth_method: AuthMethod
    client_key: ColumnType<ClientKeyFacts | null, string | null, string | null>
    grant_type: GrantType
    token_request: ColumnType<TokenRequest | null, string | null, string | null>
    endpoints: JSONColumnType<ProviderEndpoints>
    iss_parameter_supported: boolean
    authorization_parameters: JSONColumnType<Record<string, string>>
    created_at: Generated<Date>
    updated_at: Generated<Date>
    deleted_at: Generated<Date | null>
  }
  grants: {
    id: string
    workspace_id: string
    connection_id: string
    subject: string
    status: GrantStatus
    access_token: Uint8Array | null
    refresh_token: Uint8Array | null
    /** Another token is to be had without a refresh token, by what the connection itself holds. */
    renewable: Generated<boolean>
    /** Of the authorization that it came from; null where there was none. */
    redirect_uri: ColumnType<string | null, undefined, string | null>
    token_type: Generated<string>
    scope: string | null
    account: ColumnType<Account | null, undefined, string | null>
    metadata: ColumnType<Record<string, string>, undefined, string>
    expires_at: ColumnType<Date | null, null, Date | null>
    expiry_assumed: Generated<boolean>
    lifetime: number | null
    refresh_token_expires_at: ColumnType<Date | null, undefined, Date | null>
    refresh_due_at: ColumnType<Date | null, undefined, Date | null>
    keep_alive_at: ColumnType<Date | null, undefined, Date | null>
    /** Set while an attempt is under way, and left behind by one that never came to its end. */
    attempted_at: ColumnType<Date | null, undefined, Date | null>
    /** The first attempt since the last success whose outcome nobody knows. */
    interrupted_at: ColumnType<Date | null, undefined, Date | null>
    blocked: Generated<boolean>
    unrecognized_count: Generated<number>
    rejections: Generated<number>
    last_used_at: ColumnType<Date | null, undefined, Date | null>
    generation: Generated<number>
    lease_owner: string | null
    lease_until: ColumnType<Date | null, null, Date | null>
    retry_at: ColumnType<Date | null, null, Date | null>
    failure_count: Generated<number>
    last_error: ColumnType<LastError | null, null, string | null>
    last_refreshed_at: ColumnType<Date | null, null, Date | null>
    created_at: Generated<Date>
    updated_at: Generated<Date>
  }
  authorizations: {
    id: string
    workspace_id: string
    connection_id: string
    caller_id: string
    subject: string
    status: 'pending' | 'completed' | 'failed'
    redirect_uri: string | null
    scopes: string[]
    state_hash: Uint8Array | null
    secrets: Uint8Array | null
    failure: string | null
    failure_code: ColumnType<string | null, undefined, string | null>
    /** Of one by a device code: seconds between the questions for its outcome, and when the next is due. */
    poll_interval: number | null
    next_poll_at: Date | null
    claimed_at: Generated<Date | null>
    created_at: Generated<Date>
    expires_at: Date
  }
  revocations: {
    id: string
    workspace_id: string
    connection_id: string
    grant_id: string
    tokens: Uint8Array
    attempts: Generated<number>
    next_attempt_at: Generated<Date>
    last_error: string | null
    created_at: Generated<Date>
  }
  audit_keys: {
    purpose: string
    id: string
    kek_id: string
    wrapped: Uint8Array
    created_at: Generated<Date>
  }
  audit_log: {
    stream: string
    /** A bigint, which drivers give as text. */
    number: ColumnType<string, number, never>
    at: Date
    workspace_id: string | null
    actor: string | null
    actor_name: string | null
    action: string
    connection: string | null
    target: string | null
    subject: string | null
    outcome: AuditOutcome
    reason: string | null
    address: string | null
    request_id: string
    mac: Uint8Array
    detail: string | null
  }
  audit_checkpoints: {
    number: ColumnType<string, number, never>
    at: ColumnType<Date, Date, never>
    content: JSONColumnType<CheckpointContent>
    mac: Uint8Array
  }
  events: {
    id: string
    workspace_id: string
    connection_id: string
    connection_name: string
    grant_id: string
    subject: string
    type: EventType
    data: JSONColumnType<Partial<Failure>>
    created_at: Generated<Date>
  }
}

export type Database = Kysely<Tables>
