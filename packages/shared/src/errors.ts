/**
 * How a program should take an error, and the exit code of the command line for it.
 * `usage`: the request is wrong. `auth`: who you are, or what you may do. `missing`: no such thing.
 * `state`: the thing exists but is not in a state for this. `provider`: the OAuth provider refused or misbehaved.
 * `unavailable`: try again later. `consent`: the consent flow did not come to its end. `internal`: a defect or damage.
 */
export const exitCodes = {
  internal: 1,
  usage: 2,
  auth: 3,
  missing: 4,
  state: 5,
  provider: 6,
  unavailable: 7,
  consent: 8,
  interrupted: 130,
} as const

export type ErrorKind = keyof typeof exitCodes

interface ErrorEntry {
  /** HTTP status of the vault's answer; 0 where only a client program reports this code. */
  status: number
  kind: ErrorKind
  title: string
  /** What to do next. */
  hint: string
}

const table = {
  // The request
  invalid_request: {
    status: 400,
    kind: 'usage',
    title: 'The request is not valid',
    hint: 'Correct the fields named in the detail and send it again.',
  },
  invalid_json: {
    status: 400,
    kind: 'usage',
    title: 'The body is not valid JSON',
    hint: 'Send one JSON object with Content-Type: application/json.',
  },
  body_too_large: {
    status: 413,
    kind: 'usage',
    title: 'The request is too large',
    hint: 'No request to the vault needs more than 64 KiB of body; send only the documented fields.',
  },
  headers_too_large: {
    status: 431,
    kind: 'usage',
    title: 'The headers of the request are too large',
    hint: 'No request to the vault needs more than 16 KiB of headers; look for a cookie or a URL that was sent by mistake.',
  },
  request_timeout: {
    status: 408,
    kind: 'usage',
    title: 'The request did not arrive in time',
    hint: 'Send the whole request within 30 seconds; check the network and the proxies between.',
  },
  unsupported_media_type: {
    status: 415,
    kind: 'usage',
    title: 'The body has the wrong media type',
    hint: 'Send the body as application/json.',
  },
  not_found: {
    status: 404,
    kind: 'missing',
    title: 'There is no such endpoint',
    hint: 'See /docs on the vault for its endpoints; check the method and the path.',
  },

  // Who is calling
  unauthenticated: {
    status: 401,
    kind: 'auth',
    title: 'No API key was given',
    hint: 'Send Authorization: Bearer <API key>. For the CLI set AUTHCONN_API_KEY, or run it as the user who started the vault.',
  },
  invalid_api_key: {
    status: 401,
    kind: 'auth',
    title: 'The API key is not valid',
    hint: 'It may be mistyped, revoked, expired, or belong to another vault. Ask whoever runs the vault for a new key.',
  },
  identity_refused: {
    status: 401,
    kind: 'auth',
    title: 'The vault does not take this token',
    hint: 'Ask for a new token with the audience that the trust names: each is taken once, unless the trust was made with --reusable. Name the workspace and the trust. Whoever runs the workspace finds the reason with `authconn audit list`, under the request id.',
  },
  permission_denied: {
    status: 403,
    kind: 'auth',
    title: 'This API key does not permit that',
    hint: 'Use a key that has the permission named in the detail for this connection and subject.',
  },

  // Things that are not there, or there already
  connection_not_found: {
    status: 404,
    kind: 'missing',
    title: 'There is no connection of that name',
    hint: 'Run `authconn list` to see the names, or `authconn create` to make it.',
  },
  grant_not_found: {
    status: 404,
    kind: 'missing',
    title: 'The connection has no grant for that subject',
    hint: 'Check the subject, or authorize it with `authconn authorize NAME --subject SUBJECT`.',
  },
  authorization_not_found: {
    status: 404,
    kind: 'missing',
    title: 'There is no such authorization',
    hint: 'It may belong to another caller or be long over. Start again with `authconn authorize NAME`.',
  },
  caller_not_found: {
    status: 404,
    kind: 'missing',
    title: 'There is no such caller',
    hint: 'Run `authconn callers list` to see their names and ids.',
  },
  connection_exists: {
    status: 409,
    kind: 'state',
    title: 'A connection of that name exists already',
    hint: 'Choose another name, or delete the existing one first with `authconn delete NAME`.',
  },
  caller_exists: {
    status: 409,
    kind: 'state',
    title: 'A caller of that name exists already',
    hint: 'Choose another name, or revoke the existing caller first.',
  },

  trust_not_found: {
    status: 404,
    kind: 'missing',
    title: 'There is no trust of that name',
    hint: 'Run `authconn trusts list` to see the names.',
  },
  trust_exists: {
    status: 409,
    kind: 'state',
    title: 'A trust of that name exists already',
    hint: 'Choose another name, or revoke the existing trust first with `authconn trusts revoke NAME`.',
  },

  workspace_not_found: {
    status: 0,
    kind: 'missing',
    title: 'There is no workspace of that name',
    hint: 'Run `authconn workspaces list` as an operator to see the names.',
  },
  workspace_exists: {
    status: 409,
    kind: 'state',
    title: 'A workspace of that name exists already',
    hint: 'Choose another name.',
  },

  // Creating a connection
  provider_url_invalid: {
    status: 400,
    kind: 'usage',
    title: 'The provider URL cannot be used',
    hint: "Give an https URL: the provider's issuer, base URL or authorization endpoint. For a provider on this machine start the vault with AUTHCONN_ALLOW_LOOPBACK_PROVIDERS=true.",
  },
  provider_address_refused: {
    status: 400,
    kind: 'usage',
    title: 'The provider is at an address the vault does not call',
    hint: 'Loopback, private and link-local addresses are refused. For a provider on this machine start the vault with AUTHCONN_ALLOW_LOOPBACK_PROVIDERS=true.',
  },
  provider_host_not_allowed: {
    status: 400,
    kind: 'usage',
    title: 'The provider is at a host the vault may not call',
    hint: 'The operator of the vault lists the hosts of providers in AUTHCONN_PROVIDER_HOSTS. Check the URL, or have the host added.',
  },
  discovery_failed: {
    status: 422,
    kind: 'provider',
    title: "The provider's endpoints could not be discovered",
    hint: 'Check --provider-url and --issuer-url, or give the endpoints: --authorization-endpoint URL --token-endpoint URL (and --revocation-endpoint, --jwks-uri where the provider has them).',
  },
  issuer_mismatch: {
    status: 422,
    kind: 'provider',
    title: 'The issuer is not the expected one',
    hint: 'The issuer the provider names must equal --issuer-url exactly, including a trailing slash. If you did not change anything, do not go on: it may be an attack (RFC 9207).',
  },
  auth_method_unsupported: {
    status: 422,
    kind: 'provider',
    title: 'The client cannot authenticate to this provider in a supported way',
    hint: 'With a client secret the vault can do client_secret_basic and client_secret_post, with a private key private_key_jwt, and with a certificate too tls_client_auth and self_signed_tls_client_auth. Give --client-auth if the provider accepts one of them without saying so.',
  },
  client_key_invalid: {
    status: 400,
    kind: 'usage',
    title: 'The private key or certificate of the client cannot be used',
    hint: 'Give a private key in PEM, not encrypted, and for authentication in TLS its certificate: --private-key-file key.pem --client-cert-file cert.pem.',
  },
  pkce_unsupported: {
    status: 422,
    kind: 'provider',
    title: 'The provider does not support PKCE with S256',
    hint: 'Its metadata lists other code challenge methods only, by which a stolen code could be used (RFC 9700 section 2.1.1). Where its documentation says otherwise, give the endpoints by flags: --authorization-endpoint, --token-endpoint, --issuer-url, --jwks-uri.',
  },

  // Ways to get tokens
  grant_type_mismatch: {
    status: 409,
    kind: 'state',
    title: 'The connection gets its tokens in another way',
    hint: 'See its grant type with `authconn get NAME`. `authconn authorize NAME` goes the way that is right for it.',
  },
  token_request_rejected: {
    status: 422,
    kind: 'provider',
    title: 'The provider refuses to issue a token to this connection',
    hint: 'The detail has its reason. Check at the provider what the client or service account may do, and its key; then `authconn authorize NAME` asks again at once. Scopes, subject and audience are fixed when a connection is made: where they are wrong, delete it and create it anew.',
  },
  device_authorization_unsupported: {
    status: 422,
    kind: 'state',
    title: 'Nothing is known of a device authorization endpoint of this provider',
    hint: 'Authorize with a browser: `authconn authorize NAME`. Where the provider does have one (RFC 8628), create the connection with --device-authorization-endpoint.',
  },

  // The consent flow
  redirect_uri_not_allowed: {
    status: 400,
    kind: 'usage',
    title: 'The redirect URI is not allowed',
    hint: 'Use http://127.0.0.1:PORT/…, http://[::1]:PORT/… or http://localhost:PORT/…, or have the operator list the exact URI in AUTHCONN_ALLOWED_REDIRECT_URIS.',
  },
  callback_invalid: {
    status: 400,
    kind: 'consent',
    title: 'The callback does not belong to this authorization',
    hint: 'Start again with `authconn authorize NAME` and use only the browser window that it opens.',
  },
  authorization_request_rejected: {
    status: 422,
    kind: 'provider',
    title: 'The provider refused the authorization request',
    hint: 'The detail has its reason. Check that the redirect URI and the scopes are registered at the provider as they were asked for.',
  },
  authorization_denied: {
    status: 400,
    kind: 'consent',
    title: 'The provider did not grant the authorization',
    hint: 'Run `authconn authorize NAME` again and accept; if you did, check the scopes and the application at the provider.',
  },
  authorization_over: {
    status: 409,
    kind: 'consent',
    title: 'This authorization is over',
    hint: 'Each authorization works once and for a limited time. Start again with `authconn authorize NAME`.',
  },
  code_rejected: {
    status: 422,
    kind: 'provider',
    title: 'The provider refused to exchange the authorization code',
    hint: 'Check that the redirect URI is registered at the provider exactly as printed, then run `authconn authorize NAME` again.',
  },
  id_token_invalid: {
    status: 422,
    kind: 'provider',
    title: "The provider's ID token did not pass validation",
    hint: 'Check --issuer-url and --client-id. The tokens were not stored.',
  },

  // Tokens
  grant_pending: {
    status: 409,
    kind: 'state',
    title: 'The connection has not been authorized yet',
    hint: 'Run `authconn authorize NAME`.',
  },
  grant_expired: {
    status: 409,
    kind: 'state',
    title: 'The authorization has expired at the provider',
    hint: 'Someone must authorize again: `authconn authorize NAME`.',
  },
  grant_revoked: {
    status: 409,
    kind: 'state',
    title: 'The authorization was revoked',
    hint: 'Run `authconn authorize NAME` to authorize again.',
  },
  client_rejected: {
    status: 422,
    kind: 'provider',
    title: 'The provider does not accept the client id or client secret',
    hint: 'The client secret is wrong, or was rotated at the provider. Give the current one with `authconn update NAME --client-secret-file FILE`; where the provider wants it in another place, `--client-auth` says so. If the mistake was at the provider, ask once with `authconn token NAME --refresh`.',
  },
  min_ttl_unreachable: {
    status: 409,
    kind: 'state',
    title: 'No token of this connection lives as long as that',
    hint: 'Ask for a smaller min_ttl (--min-ttl), or fetch the token anew shortly before each use.',
  },
  grant_not_refreshable: {
    status: 409,
    kind: 'state',
    title: 'There is no refresh token to refresh with',
    hint: 'Someone must authorize again: `authconn authorize NAME`, with the scope or setting by which the provider gives a refresh token, such as offline_access.',
  },

  // Passing trouble
  provider_unavailable: {
    status: 503,
    kind: 'unavailable',
    title: 'The provider cannot be reached or is failing',
    hint: 'Try again after the time in Retry-After. Tokens that are still valid go on being served meanwhile.',
  },
  provider_answer_invalid: {
    status: 502,
    kind: 'provider',
    title: 'The provider gave an answer that cannot be used',
    hint: 'Try again; if it stays, check the endpoints of the connection with `authconn get NAME`.',
  },
  identity_provider_unavailable: {
    status: 503,
    kind: 'unavailable',
    title: 'The keys of the issuer of the token cannot be had',
    hint: 'Try again after the time in Retry-After. If it stays, the log of the vault has the reason: the issuer must be reachable for the vault, or its keys be given with the trust.',
  },
  refresh_in_progress: {
    status: 503,
    kind: 'unavailable',
    title: 'The token is being refreshed and is not there yet',
    hint: 'Try again after the time in Retry-After.',
  },
  too_many_requests: {
    status: 429,
    kind: 'unavailable',
    title: 'Too many requests',
    hint: 'Try again after the time in Retry-After, and less often. After many requests with keys or tokens that are not valid, the address waits too.',
  },
  overloaded: {
    status: 503,
    kind: 'unavailable',
    title: 'The vault has more to do than it can',
    hint: 'Try again after the time in Retry-After. If it stays, run more vault processes.',
  },
  audit_unavailable: {
    status: 503,
    kind: 'unavailable',
    title: 'The request could not be recorded in the audit log',
    hint: 'Nothing is answered without its record. Try again after the time in Retry-After; the operator finds the reason in the log of the vault.',
  },
  database_unavailable: {
    status: 503,
    kind: 'unavailable',
    title: 'The vault cannot reach its database',
    hint: 'Try again after the time in Retry-After; the operator finds the reason in the log of the vault.',
  },
  kms_unavailable: {
    status: 503,
    kind: 'unavailable',
    title: 'The key service of the vault does not answer',
    hint: 'Try again after the time in Retry-After; the operator finds the reason in the log of the vault. What the vault has unwrapped before goes on being served meanwhile.',
  },
  not_ready: {
    status: 503,
    kind: 'unavailable',
    title: 'The vault is not ready',
    hint: 'It is starting, stopping, or has lost its database. Try again after the time in Retry-After.',
  },
  kms_refused: {
    status: 500,
    kind: 'internal',
    title: 'The key service refuses to use the key-encryption key',
    hint: 'The operator has to look at the key and at what the vault may do with it: the reason is in the log of the vault, and docs/key-sources.md lists what it needs.',
  },
  sealed_value_damaged: {
    status: 500,
    kind: 'internal',
    title: 'A stored secret cannot be opened',
    hint: 'It was damaged or moved, or its key is missing. Restore it from a backup, or authorize the connection again.',
  },
  internal_error: {
    status: 500,
    kind: 'internal',
    title: 'The vault failed',
    hint: 'Report it with the request id; the operator finds the reason in the log of the vault under that id.',
  },

  // Reported by the server program at start
  setting_invalid: {
    status: 0,
    kind: 'usage',
    title: 'A setting is not valid',
    hint: 'Correct the setting named in the detail; `authconn-server --help` describes them all.',
  },
  inspection_refused: {
    status: 0,
    kind: 'usage',
    title: 'The vault does not start where its memory or its traffic could be read',
    hint: 'Remove what the detail names from the command line or the environment. For development alone: AUTHCONN_ALLOW_INSPECT=true.',
  },
  data_directory_in_use: {
    status: 0,
    kind: 'state',
    title: 'Another process uses this data directory',
    hint: 'Stop the other vault, or give this one its own AUTHCONN_DATA_DIR. Several vaults over the same data need PostgreSQL (DATABASE_URL).',
  },
  key_encryption_key_missing: {
    status: 0,
    kind: 'state',
    title: 'The key-encryption key for this database is missing',
    hint: 'Put the key file back, or say in AUTHCONN_KEK or AUTHCONN_KEK_FILE where the key is. Without it the stored secrets cannot be read; nothing was changed.',
  },
  key_encryption_key_wrong: {
    status: 0,
    kind: 'state',
    title: 'The key-encryption key does not belong to this database',
    hint: 'Give the keys that this database was sealed under, previous ones included, or point DATABASE_URL and AUTHCONN_DATA_DIR at the right place. Nothing was changed.',
  },
  key_file_unsafe: {
    status: 0,
    kind: 'state',
    title: 'A secret file can be read by others',
    hint: 'Run chmod 600 on the file named in the detail, and consider what was in it exposed.',
  },
  credentials_file_invalid: {
    status: 0,
    kind: 'state',
    title: 'The credentials of the local command line are damaged',
    hint: 'Move the file named in the detail away, or replace it with `authconn-server admin-key`.',
  },
  vault_not_started: {
    status: 0,
    kind: 'state',
    title: 'This vault has never been started',
    hint: 'Run `authconn-server start`: the first start makes the administrator. If it ran before, check AUTHCONN_DATA_DIR and DATABASE_URL.',
  },
  schema_too_new: {
    status: 0,
    kind: 'state',
    title: 'The database was migrated by a newer version of authconn',
    hint: 'Start the newer version, or restore a backup from before it.',
  },
  schema_out_of_date: {
    status: 0,
    kind: 'state',
    title: 'The database has migrations to run',
    hint: 'Run `authconn-server migrate`, or start with AUTHCONN_AUTO_MIGRATE=true.',
  },
  address_in_use: {
    status: 0,
    kind: 'state',
    title: 'The address of the vault is taken',
    hint: 'Stop the program that listens there, or choose another with --port PORT or AUTHCONN_PORT.',
  },

  // Reported by the command line
  usage: {
    status: 0,
    kind: 'usage',
    title: 'The command is not complete or not right',
    hint: 'Add --help to the command for its flags and examples.',
  },
  vault_not_configured: {
    status: 0,
    kind: 'usage',
    title: 'No vault is known',
    hint: 'Start one on this machine with `authconn-server start`, log in to one with `authconn login`, or set AUTHCONN_URL and AUTHCONN_API_KEY.',
  },
  profile_not_found: {
    status: 0,
    kind: 'missing',
    title: 'There is no such profile',
    hint: 'See `authconn profiles list`, or make it with `authconn login --profile NAME`.',
  },
  login_unavailable: {
    status: 0,
    kind: 'missing',
    title: 'The vault has no such login',
    hint: 'Whoever runs the workspace makes one with `authconn trusts create --preset people`. With an API key: `authconn login`.',
  },
  login_failed: {
    status: 0,
    kind: 'consent',
    title: 'The OpenID Connect provider did not log you in',
    hint: 'Run `authconn login --oidc` again. If it stays, give the detail to whoever made the trust in the vault.',
  },
  login_expired: {
    status: 0,
    kind: 'auth',
    title: 'The login has ended',
    hint: 'Log in again with `authconn login --oidc`.',
  },
  identity_token_unavailable: {
    status: 0,
    kind: 'unavailable',
    title: 'The platform gives no OIDC token',
    hint: 'Check the variable named in the detail, and that the job or pod may have an identity; or set AUTHCONN_API_KEY.',
  },
  keychain_unavailable: {
    status: 0,
    kind: 'state',
    title: 'The keychain of the operating system cannot be used',
    hint: 'Unlock it, or start its service, and try again; `authconn login --store file` keeps the key in a file of mode 0600 instead.',
  },
  vault_unreachable: {
    status: 0,
    kind: 'unavailable',
    title: 'The vault cannot be reached',
    hint: 'Check that it runs (`authconn-server start`) and that AUTHCONN_URL is right.',
  },
  vault_answer_invalid: {
    status: 0,
    kind: 'unavailable',
    title: 'Something that is not an authconn vault answered',
    hint: 'Check AUTHCONN_URL: another server may listen there, or a proxy stand in between.',
  },
  vault_not_genuine: {
    status: 0,
    kind: 'auth',
    title: 'Something else answers where the vault on this machine was',
    hint: 'Nothing secret was sent there. Start the vault again (`authconn-server start`), or remove the file named in the detail and set AUTHCONN_URL and AUTHCONN_API_KEY.',
  },
  port_taken: {
    status: 0,
    kind: 'state',
    title: 'The callback port is taken',
    hint: 'Stop the program that listens there, choose another port that is registered at the provider (--port PORT), or use --port 0 where the provider allows any.',
  },
  authorization_timeout: {
    status: 0,
    kind: 'consent',
    title: 'Nobody finished the authorization in time',
    hint: 'Run the command again, with a longer --timeout if need be.',
  },
  function_failed: {
    status: 0,
    kind: 'internal',
    title: 'The function failed',
    hint: 'Correct the function at the place named in the detail.',
  },
  function_timeout: {
    status: 0,
    kind: 'internal',
    title: 'The function did not end in time',
    hint: 'Look for what it waits for, or give it longer with --timeout.',
  },
  interrupted: {
    status: 0,
    kind: 'interrupted',
    title: 'Interrupted',
    hint: 'What the vault had received by then may have been done: check with `authconn list`, then run the command again when ready.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof table

export const errorTable: Readonly<Record<ErrorCode, ErrorEntry>> = table

export const errorCodes = Object.keys(table) as ErrorCode[]

/** Whether a string from the wire is a code this version knows. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(table, code)
}
