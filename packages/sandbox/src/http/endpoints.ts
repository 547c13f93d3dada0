/** The protocol endpoints, by the names the switches use, with their paths. */
export const endpoints = {
  authorization: '/authorize',
  token: '/token',
  revocation: '/revoke',
  introspection: '/introspect',
  pushed_authorization: '/par',
  device_authorization: '/device_authorization',
  userinfo: '/userinfo',
  jwks: '/jwks',
  discovery: '/.well-known/openid-configuration',
} as const

export type Endpoint = keyof typeof endpoints

export const endpointNames = Object.keys(endpoints) as Endpoint[]

/** RFC 8414; the same document as OpenID Connect Discovery's. */
export const oauthMetadataPath = '/.well-known/oauth-authorization-server'

/** Which endpoint a path belongs to. The pages that end a sign-in are part of `authorization`: they redirect back. */
export function findEndpoint(path: string): Endpoint | undefined {
  if (path === oauthMetadataPath) return 'discovery'
  if (path.startsWith(`${endpoints.authorization}/`)) return 'authorization'
  return endpointNames.find((name) => endpoints[name] === path)
}
