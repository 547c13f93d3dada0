import { expect } from 'vitest'
import type { Fault, FaultKindName, Sandbox } from '../../src/index.ts'
import { createClient, type TokenAnswer } from './client.ts'

/** A client and the sandbox, to see what one request looks like under a fault that strikes once. */
export function createFaultyClient(sandbox: Sandbox) {
  const client = createClient(sandbox)

  async function refreshUnder(fault: Fault, signal?: AbortSignal) {
    const before = await client.signIn('openid')
    sandbox.faults.set('token', fault, { times: 1 })
    return { before, answer: await client.refresh(before.refresh_token, signal) }
  }

  async function tokensUnder(kind: FaultKindName): Promise<Record<string, unknown>> {
    const { answer } = await refreshUnder({ kind })
    expect(answer.status).toBe(200)
    return (await answer.json()) as Record<string, unknown>
  }

  return {
    ...client,
    refreshUnder,
    tokensUnder,
    async claimsUnder(kind: FaultKindName): Promise<Record<string, unknown>> {
      const { id_token } = await tokensUnder(kind)
      return JSON.parse(Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString())
    },
    async callbackUnder(fault: Fault): Promise<URLSearchParams> {
      sandbox.faults.set('authorization', fault, { times: 1 })
      return client.authorize()
    },
    /** Whether the provider used up the refresh token although the client heard nothing. */
    async isUsedUp({ refresh_token }: TokenAnswer): Promise<boolean> {
      return !(await client.refresh(refresh_token)).ok
    },
  }
}
