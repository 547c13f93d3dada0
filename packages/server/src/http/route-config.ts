import type { OperationName } from '@authconn/shared'

/** What figures and traces call a route: its operation in the contract, or what tells of the vault itself. */
export type RouteName = OperationName | 'metrics' | 'openapi' | 'docs' | 'none'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** undefined where nothing was found to serve the request. */
    routeName?: RouteName
    /** Whether it asks for an API key. */
    needsKey?: boolean
    /** Whether it takes a token in the body that stands for a key, and so is tried out as keys are. */
    takesToken?: boolean
  }
}
