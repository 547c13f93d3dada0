import { type AuthconnClient, AuthconnError, type TokenOptions } from '@authconn/sdk'
import { hintFor } from '../output/hint.ts'
import { explain } from '../output/report-error.ts'
import type { Mask } from './mask-secrets.ts'
import type { FromHost, ToHost, VaultError } from './protocol.ts'

export interface TokenDeskOptions {
  vault(): Promise<AuthconnClient>
  /** The connections that the function may have tokens of, * standing for any characters; all when undefined. */
  connections: readonly string[] | undefined
  mask: Mask
  signal: AbortSignal
}

/** Answers the token fetches of a function within what it was given, and has its tokens hidden in what it prints. */
export function createTokenDesk({ vault, connections, mask, signal }: TokenDeskOptions) {
  return async function answerToken(asked: Extract<FromHost, { kind: 'get_token' }>): Promise<ToHost> {
    const { id } = asked
    const name = String(asked.name)
    try {
      if (connections !== undefined && !connections.some((pattern) => matches(name, pattern))) {
        throw new AuthconnError('permission_denied', `This function was not given the connection ${name}.`, {
          hint: `Add --connection ${name} to authconn function run, if it is to have it.`,
        })
      }
      const client = await vault()
      const token = await client.getConnectionToken(name, { ...readOptions(asked.options), signal })
      mask.add(token.access_token)
      if (token.refresh_token !== undefined) mask.add(token.refresh_token)
      return { kind: 'token', id, token }
    } catch (error) {
      return { kind: 'refused', id, error: asFields(explain(error), name) }
    }
  }
}

function matches(name: string, pattern: string): boolean {
  const literal = pattern.split('*').map((part) => part.replace(/[^\w-]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`).test(name)
}

/** Those that the client knows; whether their values can be meant is for the client to say. */
function readOptions(given: unknown): TokenOptions {
  const { subject, minTtl, forceRefresh, rejectedVersion, timeout }: TokenOptions = given ?? {}
  return { subject, minTtl, forceRefresh, rejectedVersion, timeout }
}

function asFields(error: AuthconnError, name: string): VaultError {
  const { code, title, detail, status, requestId, retryAfter } = error
  return { code, title, detail, hint: hintFor(error, name), status, requestId, retryAfter }
}
