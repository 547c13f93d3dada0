import type { Connection, Grant, StartedAuthorization } from '@authconn/shared'

export function connection(changes: Partial<Connection> = {}): Connection {
  return {
    name: 'google-oauth',
    type: 'TYPE_OAUTH2',
    provider: 'google',
    provider_url: 'https://accounts.google.com',
    issuer_url: 'https://accounts.google.com',
    client_id: 'client-1',
    token_endpoint_auth_method: 'client_secret_basic',
    endpoints: {
      authorization_endpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
      token_endpoint: 'https://oauth2.googleapis.com/token',
    },
    ...grantState,
    pending_revocations: 0,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    ...changes,
  }
}

export function grant(changes: Partial<Grant> = {}): Grant {
  return { subject: null, ...grantState, ...changes }
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
    expires_at: '2030-01-01T00:00:00.000Z',
    authorization_url: 'https://accounts.google.com/o/oauth2/v2/auth?state=st-4te&scope=openid',
    ...changes,
  }
}

const grantState = {
  status: 'active',
  scope: 'openid email',
  expires_at: '2030-01-01T00:00:00.000Z',
  refreshable: true,
  last_refreshed_at: null,
  last_error: null,
} as const
