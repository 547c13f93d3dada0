import type {
  AuditRecord,
  Caller,
  Connection,
  CreatedCaller,
  Event,
  Grant,
  IssuedKey,
  Provider,
  StartedAuthorization,
  Token,
  Trust,
} from '@authconn/shared'

export function connection(changes: Partial<Connection> = {}): Connection {
  return {
    name: 'google-oauth',
    type: 'TYPE_OAUTH2',
    provider: 'google',
    provider_url: 'https://accounts.google.com',
    issuer_url: 'https://accounts.google.com',
    client_id: 'client-1',
    token_endpoint_auth_method: 'client_secret_basic',
    client_key: null,
    grant_type: 'authorization_code',
    token_request: null,
    former_client_secret_until: null,
    endpoints: {
      authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
      token_endpoint: 'https://oauth2.googleapis.com/token',
    },
    ...grantState,
    registration: null,
    pending_revocations: 0,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    ...changes,
  }
}

export function provider(changes: Partial<Provider> = {}): Provider {
  return {
    id: 'google',
    name: 'Google',
    documentation: 'https://developers.google.com',
    read: '2026-11-22',
    unverified: ['pkce'],
    provider_url: 'https://accounts.google.com',
    variables: [
      { name: 'tenant', description: 'the directory', pattern: '[a-z]+', default: 'common', example: 'contoso' },
    ],
    issuer_url: null,
    endpoints: { authorization_endpoint: 'https://a.example/1', token_endpoint: 'https://a.example/2' },
    token_endpoint_auth_method: 'client_secret_post',
    pkce: 'supported',
    scopes: { separator: ',', answer_separator: ' ', default: ['openid', 'email'] },
    authorization_parameters: { access_type: 'offline' },
    refresh_token: { rotation: 'never', idle: 180 * 86_400 },
    registration: { url: 'https://console.example', redirect_uri: 'http://127.0.0.1:8080/callback' },
    ...changes,
  }
}

export function grant(changes: Partial<Grant> = {}): Grant {
  return { subject: null, ...grantState, ...changes }
}

export function token(changes: Partial<Token> = {}): Token {
  return {
    access_token: 'at-1',
    token_type: 'Bearer',
    expires_at: '2030-01-01T00:00:00.000Z',
    version: 1,
    ...changes,
  }
}

export function event(changes: Partial<Event> = {}): Event {
  return {
    id: '3f1d2b6e-8f0b-4c39-9a59-6c1f3c1f7e11',
    type: 'grant.refreshed',
    connection: 'google-oauth',
    subject: null,
    at: '2026-01-01T00:00:00.000Z',
    code: null,
    class: null,
    detail: null,
    ...changes,
  }
}

export function started(changes: Partial<StartedAuthorization> = {}): StartedAuthorization {
  return {
    id: '7b0e6d0a-2c5f-4a53-9d2b-0a4d8a1c2f10',
    connection: 'google-oauth',
    subject: null,
    status: 'pending',
    redirect_uri: 'http://127.0.0.1:8080/callback',
    scopes: ['openid'],
    failure: null,
    failure_code: null,
    expires_at: '2030-01-01T00:00:00.000Z',
    authorization_url: 'https://accounts.google.com/o/oauth2/v2/auth?state=st-4te&scope=openid',
    state: 'st-4te',
    ...changes,
  }
}

export function caller(changes: Partial<Caller> = {}): Caller {
  return {
    id: '1c9a5f1e-4d0b-4f0e-8f7a-2f6f3c1b9d01',
    name: 'ci',
    permissions: ['token:read'],
    connections: ['google-*'],
    subjects: [],
    addresses: null,
    created_at: '2026-01-01T00:00:00.000Z',
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
    former_key_until: null,
    trust: null,
    identity: null,
    ...changes,
  }
}

export function createdCaller(changes: Partial<CreatedCaller> = {}): CreatedCaller {
  return { ...caller(changes), api_key: 'ack_shown-once', ...changes }
}

export function auditRecord(number: number, changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: `2d1b7c1e-0f0b-4c39-9a59-6c1f3c1f7e11:${number}`,
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toISOString(),
    actor: '1c9a5f1e-4d0b-4f0e-8f7a-2f6f3c1b9d01',
    actor_name: 'ci',
    action: 'getToken',
    connection: 'google-oauth',
    target: null,
    subject: null,
    outcome: 'allowed',
    reason: null,
    address: '192.0.2.7',
    detail: null,
    request_id: `request-${number}`,
    ...changes,
  }
}

const grantState = {
  status: 'active',
  account: null,
  metadata: {},
  scope: 'openid email',
  expires_at: '2030-01-01T00:00:00.000Z',
  expires_at_assumed: false,
  refreshable: true,
  refresh_token_expires_at: null,
  last_refreshed_at: null,
  next_refresh_at: null,
  failures: 0,
  last_error: null,
} as const

export function trust(changes: Partial<Trust> = {}): Trust {
  return {
    id: '5a0b6d0a-2c5f-4a53-9d2b-0a4d8a1c2f10',
    name: 'deploy',
    preset: 'github',
    issuer: 'https://token.actions.githubusercontent.com',
    audience: ['https://vault.example.com'],
    jwks_uri: null,
    jwks: null,
    algorithms: ['RS256', 'ES256'],
    claims: [
      { claim: 'repository_id', values: ['456789'] },
      { claim: 'environment', values: ['production', 'staging'] },
    ],
    max_age: 600,
    single_use: true,
    permissions: ['token:read'],
    connections: ['google-*'],
    subjects: [],
    addresses: null,
    key_lifetime: 900,
    login: null,
    created_at: '2026-01-01T00:00:00.000Z',
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
    ...changes,
  }
}

export function issuedKey(changes: Partial<IssuedKey> = {}): IssuedKey {
  return {
    access_token: 'ack_issued-1',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 900,
    expires_at: '2030-01-01T00:00:00.000Z',
    caller: 'trust:deploy',
    trust: 'deploy',
    workspace: 'default',
    ...changes,
  }
}
