import type { TSchema } from 'typebox'
import { AuditCheck, AuditList, AuditRecord, AuditReport } from './schemas/audit.ts'
import {
  Authorization,
  Callback,
  CompletedAuthorization,
  NewAuthorization,
  NewDeviceAuthorization,
  StartedAuthorization,
  StartedDeviceAuthorization,
} from './schemas/authorizations.ts'
import { Caller, CallerList, CallerRotation, CreatedCaller, NewCaller } from './schemas/callers.ts'
import {
  Connection,
  ConnectionList,
  ConnectionUpdate,
  DeletedConnection,
  NewConnection,
} from './schemas/connections.ts'
import { Event, EventList, Grant, GrantList, NewGrant, Revocation, Token } from './schemas/grants.ts'
import { Health, Problem } from './schemas/operations.ts'
import { Provider, ProviderList } from './schemas/providers.ts'
import { IssuedKey, LoginList, NewTrust, TokenExchange, Trust, TrustList } from './schemas/trusts.ts'
import { CreatedWorkspace, NewWorkspace, Self, Workspace, WorkspaceList } from './schemas/workspaces.ts'

export * from './schemas/audit.ts'
export * from './schemas/authorizations.ts'
export * from './schemas/callers.ts'
export type { ClientKey, NewClientKey } from './schemas/client-keys.ts'
export { ConnectionName, Cursor, GrantCursor, Id, Subject } from './schemas/common.ts'
export * from './schemas/connections.ts'
export type { Account } from './schemas/grants.ts'
export {
  Event,
  EventList,
  EventType,
  FailureClass,
  Grant,
  GrantList,
  GrantStatus,
  NewGrant,
  Revocation,
  Token,
} from './schemas/grants.ts'
export * from './schemas/operations.ts'
export * from './schemas/providers.ts'
export type { Assertion, NewAssertion } from './schemas/token-requests.ts'
export { GrantType, TokenRequest } from './schemas/token-requests.ts'
export * from './schemas/trusts.ts'
export * from './schemas/workspaces.ts'

/** The schemas that OpenAPI lists by name. */
export const namedSchemas: Readonly<Record<string, TSchema>> = {
  NewConnection,
  ConnectionUpdate,
  Connection,
  ConnectionList,
  Grant,
  GrantList,
  NewGrant,
  Token,
  Event,
  EventList,
  NewAuthorization,
  StartedAuthorization,
  NewDeviceAuthorization,
  StartedDeviceAuthorization,
  Authorization,
  CompletedAuthorization,
  Callback,
  Revocation,
  DeletedConnection,
  NewCaller,
  Caller,
  CreatedCaller,
  CallerRotation,
  CallerList,
  NewTrust,
  Trust,
  TrustList,
  TokenExchange,
  IssuedKey,
  LoginList,
  AuditRecord,
  AuditList,
  AuditCheck,
  AuditReport,
  NewWorkspace,
  Workspace,
  CreatedWorkspace,
  WorkspaceList,
  Self,
  Provider,
  ProviderList,
  Health,
  Problem,
}
