/**
 * Where each operation of the vault's API lives: `[method, path]` by operation name.
 * Kept apart from the schemas so that a client can use it without loading a schema library.
 */
export const routes = {
  listProviders: ['GET', '/v1/providers'],
  createConnection: ['POST', '/v1/connections'],
  listConnections: ['GET', '/v1/connections'],
  getConnection: ['GET', '/v1/connections/{name}'],
  updateConnection: ['PATCH', '/v1/connections/{name}'],
  deleteConnection: ['DELETE', '/v1/connections/{name}'],
  listGrants: ['GET', '/v1/connections/{name}/grants'],
  createGrant: ['POST', '/v1/connections/{name}/grants'],
  listEvents: ['GET', '/v1/connections/{name}/events'],
  getToken: ['GET', '/v1/connections/{name}/token'],
  revokeGrant: ['POST', '/v1/connections/{name}/revoke'],
  startAuthorization: ['POST', '/v1/connections/{name}/authorizations'],
  startDeviceAuthorization: ['POST', '/v1/connections/{name}/device-authorizations'],
  getAuthorization: ['GET', '/v1/authorizations/{id}'],
  completeAuthorization: ['POST', '/v1/authorizations/{id}/complete'],
  cancelAuthorization: ['POST', '/v1/authorizations/{id}/cancel'],
  getSelf: ['GET', '/v1/self'],
  revokeSelf: ['DELETE', '/v1/self'],
  createCaller: ['POST', '/v1/callers'],
  listCallers: ['GET', '/v1/callers'],
  rotateCaller: ['POST', '/v1/callers/{id}/rotate'],
  revokeCaller: ['DELETE', '/v1/callers/{id}'],
  createTrust: ['POST', '/v1/trusts'],
  listTrusts: ['GET', '/v1/trusts'],
  getTrust: ['GET', '/v1/trusts/{name}'],
  revokeTrust: ['DELETE', '/v1/trusts/{name}'],
  exchangeToken: ['POST', '/v1/identity/token'],
  listLogins: ['GET', '/v1/identity/logins'],
  listAudit: ['GET', '/v1/audit'],
  verifyAudit: ['POST', '/v1/audit/verify'],
  createWorkspace: ['POST', '/v1/workspaces'],
  listWorkspaces: ['GET', '/v1/workspaces'],
  getHealth: ['GET', '/healthz'],
  getReadiness: ['GET', '/readyz'],
} as const satisfies Record<string, readonly ['GET' | 'POST' | 'PATCH' | 'DELETE', string]>

export type OperationName = keyof typeof routes
