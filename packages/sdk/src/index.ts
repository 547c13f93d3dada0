export type { Connection, Operation, Token } from '@authconn/shared'
export type { ErrorCode } from '@authconn/shared/errors'
export type { OperationName } from '@authconn/shared/routes'
export { AuthconnError, type AuthconnErrorOptions } from './authconn-error.ts'
export { authconnection } from './authconnection.ts'
// By a star, as only so can other modules add to what it declares.
export * from './connection-names.ts'
export type { AuthenticatedFetchOptions } from './create-authenticated-fetch.ts'
export { type AuthconnClient, type ClientOptions, createClient } from './create-client.ts'
export { describeToken, readClaims } from './exchange-identity.ts'
export { audienceOf, type GetIdentityToken, type IdentityRequest } from './identity.ts'
export type { CallArguments, CallInput, CallOptions } from './operation-input.ts'
export {
  adviceForIdentity,
  findPlatformIdentity,
  identityTokenOf,
  noIdentity,
  type PlatformIdentity,
  platformIdentity,
} from './platform-identity.ts'
export { readSettings, type Settings } from './read-settings.ts'
export type { TokenOptions } from './token-query.ts'
