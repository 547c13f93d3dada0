import {
  AuthconnError,
  audienceOf,
  describeToken,
  identityTokenOf,
  type PlatformIdentity,
  readClaims,
} from '@authconn/sdk'
import { timeLeft } from '../output/time.ts'
import type { FoundVault } from '../profiles/find-vault.ts'
import type { Check } from './check.ts'

const name = 'identity'

/** Which OIDC token would be exchanged, what it says, and whether it can be right. Whether it is, the vault says. */
export async function checkIdentity(
  { url, credential, fetch }: FoundVault,
  platform: PlatformIdentity,
  signal: AbortSignal,
): Promise<Check> {
  const { options } = credential
  const audience = ('audience' in options ? options.audience : undefined) ?? audienceOf(url)
  try {
    const token = await identityTokenOf(platform, { audience, signal, fetch })
    return judgeToken(token, platform, audience)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AuthconnError)) throw error
    return { name, status: 'failed', detail: `${error.detail} [${error.code}]`, hint: error.hint }
  }
}

export function judgeToken(
  token: string,
  { from }: Pick<PlatformIdentity, 'from'>,
  audience: string,
  now = new Date(),
): Check {
  const claims: { aud?: unknown; exp?: unknown } | undefined = readClaims(token)
  if (claims === undefined) {
    const hint = 'An OIDC token is a signed JWT: three parts, separated by dots.'
    return { name, status: 'failed', detail: `what ${from} gives is not an OIDC token`, hint }
  }
  const detail = `${describeToken(token)}, from ${from}`
  const end = typeof claims.exp === 'number' ? new Date(claims.exp * 1000) : undefined
  if (end !== undefined && end <= now) {
    const hint =
      'Have the platform make a new one; what it gives at the start of a long job may end before the job.'
    return { name, status: 'failed', detail: `${detail}; it ended at ${end.toISOString()}`, hint }
  }
  if (![claims.aud].flat().includes(audience)) {
    return {
      name,
      status: 'warning',
      detail: `${detail}; it is not for ${audience}`,
      hint: `The trust in the vault names the audience. Have the platform make the token for it; where it is not ${audience}, set AUTHCONN_AUDIENCE.`,
    }
  }
  const left = end === undefined ? '' : `; it ends in ${timeLeft(end.toISOString(), now)}`
  return { name, status: 'ok', detail: detail + left }
}
