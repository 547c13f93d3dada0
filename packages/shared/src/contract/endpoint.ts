import type { Static, TObject, TSchema } from 'typebox'
import type { ErrorCode } from '../errors.ts'
import type { Permission } from '../permissions.ts'

/** One operation of the vault's API, declared once. The method and path are in `routes`, under the same name. */
export interface Endpoint {
  summary: string
  description?: string
  tag: 'Connections' | 'Tokens' | 'Authorizations' | 'Callers' | 'Trusts' | 'Audit' | 'Workspaces' | 'Operations'
  /** What the caller must hold; `any` where its key is enough, and `public` where none is asked for. */
  permission: Permission | 'any' | 'public'
  params?: TObject
  query?: TObject
  body?: TObject
  success: { status: 200 | 201; description: string; schema: TSchema }
  /** The codes this operation can answer with, besides those that every operation can. */
  errors: readonly ErrorCode[]
}

type Part<T> = T extends TSchema ? Static<T> : undefined

export interface EndpointTypes<E extends Endpoint> {
  params: Part<E['params']>
  query: Part<E['query']>
  body: Part<E['body']>
  response: Static<E['success']['schema']>
}
