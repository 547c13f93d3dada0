import type { KoaContextWithOIDC } from 'oidc-provider'

/** The request and response that a middleware of the provider handles. */
export type Context = Pick<
  KoaContextWithOIDC,
  | 'req'
  | 'res'
  | 'request'
  | 'response'
  | 'method'
  | 'path'
  | 'url'
  | 'query'
  | 'status'
  | 'body'
  | 'type'
  | 'respond'
> & {
  set(name: string, value: string): void
  set(fields: Record<string, string>): void
  redirect(url: string): void
}

export type Next = () => Promise<void>
