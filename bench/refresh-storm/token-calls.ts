import type { RunningVault } from '../support/vaults.ts'

export interface TokenAnswer {
  /** 0 when there was no answer. */
  status: number
  code?: string
  accessToken?: string
  /** The generation of its grant. */
  version?: number
  /** Whether it says when to come again. */
  hasRetryAfter: boolean
}

/** Asks a vault for a token, over a connection of its own making. Never rejects. */
export async function askForToken(vault: RunningVault, path: string, apiKey: string): Promise<TokenAnswer> {
  try {
    const response = await fetch(vault.url + path, {
      headers: { authorization: `Bearer ${apiKey}`, connection: 'close' },
    })
    const body = (await response.json()) as { access_token?: string; version?: number; code?: string }
    return {
      status: response.status,
      hasRetryAfter: response.headers.has('retry-after'),
      ...(body.code !== undefined && { code: body.code }),
      ...(body.access_token !== undefined && { accessToken: body.access_token }),
      ...(body.version !== undefined && { version: body.version }),
    }
  } catch {
    // A process that was killed breaks its connections, and one that starts refuses them.
    return { status: 0, hasRetryAfter: false }
  }
}
