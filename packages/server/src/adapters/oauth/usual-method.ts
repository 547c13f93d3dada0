import type { AuthMethod } from '@authconn/shared'

/** What is usual at a provider, where the client can do it. */
export function usualMethod(able: readonly AuthMethod[], usual: AuthMethod): AuthMethod {
  return able.includes(usual) ? usual : (able[0] ?? usual)
}
