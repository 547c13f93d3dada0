import type { Provider } from 'oidc-provider'
import type { SandboxSettings } from '../settings.ts'
import { describeRefreshTokenTtl } from './announce-refresh-token-ttl.ts'
import { claimsByScope, defaultScope } from './scopes.ts'

export interface MintOptions {
  /** `alice` by default. */
  account?: string
  /** Separated by spaces; scopes that the sandbox does not know are overlooked. `api:read` by default. */
  scope?: string
  /** The first client by default. */
  clientId?: string
}

/** A token answer, and the family that its tokens belong to. */
export interface MintedTokens {
  family: string
  access_token: string
  refresh_token: string
  expires_in: number
  scope: string
  token_type: string
  refresh_token_expires_in?: number
  x_refresh_token_expires_in?: number
}

export type Mint = (options?: MintOptions) => Promise<MintedTokens>

/** Tokens cannot be had for this account, scope or client. */
export class InvalidMintError extends Error {
  override name = 'InvalidMintError'
}

/** Makes tokens that nobody consented to; the provider cannot tell them from those of the code flow. */
export function createMint(deps: { provider: Provider; clientId: string; settings: SandboxSettings }): Mint {
  const { provider, settings } = deps

  return async function mint({ account = 'alice', scope = defaultScope, clientId = deps.clientId } = {}) {
    const client = await provider.Client.find(clientId)
    if (!client) throw new InvalidMintError(`There is no client ${JSON.stringify(clientId)}`)
    if (typeof account !== 'string' || account === '' || account.length > 255) {
      throw new InvalidMintError('"account" must be a name of at most 255 characters')
    }

    const grant = new provider.Grant({ accountId: account, clientId })
    grant.addOIDCScope(readScopes(scope))
    const granted = { accountId: account, client, grantId: await grant.save(), scope: grant.getOIDCScope() }
    const from = { ...granted, gty: 'authorization_code' }

    const accessToken = new provider.AccessToken(from)
    const refreshToken = new provider.RefreshToken({
      ...from,
      authTime: Math.floor(Date.now() / 1000),
      rotations: 0,
    })
    return {
      family: granted.grantId,
      access_token: await accessToken.save(),
      expires_in: accessToken.expiration,
      refresh_token: await refreshToken.save(),
      scope: granted.scope,
      token_type: accessToken.tokenType,
      ...describeRefreshTokenTtl(refreshToken, settings),
    }
  }
}

function readScopes(scope: unknown): string {
  const known = String(scope)
    .split(' ')
    .filter((name) => Object.hasOwn(claimsByScope, name))
  if (known.length === 0) {
    throw new InvalidMintError(`"scope" must name some of: ${Object.keys(claimsByScope).join(', ')}`)
  }
  return known.join(' ')
}
