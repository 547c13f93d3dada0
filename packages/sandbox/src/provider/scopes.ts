/** The scopes the sandbox knows, with the claims each gives. It overlooks scopes it does not know. */
export const claimsByScope: Record<string, string[]> = {
  openid: ['sub'],
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
  offline_access: [],
  'api:read': [],
  'api:write': [],
}

/** Granted to a request that names no scope. */
export const defaultScope = 'api:read'

export const scopeDescriptions: Record<string, string> = {
  openid: 'Know who you are',
  profile: 'See your name',
  email: 'See your email address',
  offline_access: 'Keep access when you are away',
  'api:read': 'Read your data in an imaginary API',
  'api:write': 'Change your data in an imaginary API',
}
