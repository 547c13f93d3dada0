import type { OperationName } from '@authconn/shared'

/** What figures and traces call a route: its operation in the contract, or what tells of the vault itself. */
export type RouteName = OperationName | 'metrics' | 'openapi' | 'docs' | 'none'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** undefined where nothing was found to serve the request. */
    routeName?: RouteName
    /** Whether it asks for an API key. */
    needsKey?: boolean
    /** Whether it asks for no key and has the database work all the same, and so is limited as what asks for one. */
    isOpen?: boolean
  }
}
