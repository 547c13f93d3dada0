import type { ErrorCode } from '@authconn/sdk'

/** What the process of a function is told. */
export type ToHost =
  | { kind: 'run'; module: string; input: unknown }
  | { kind: 'token'; id: number; token: object }
  | { kind: 'refused'; id: number; error: VaultError }

/** What it says. */
export type FromHost =
  | { kind: 'get_token'; id: number; name: unknown; options: unknown }
  | { kind: 'result'; json: string }
  | { kind: 'failed'; words: string }
  | { kind: 'failed_by_vault'; error: VaultError }

/** The fields of an AuthconnError, as they go from one process to another. */
export interface VaultError {
  code: ErrorCode
  title: string
  detail: string
  hint: string
  status: number
  requestId: string | undefined
  retryAfter: number | undefined
}
