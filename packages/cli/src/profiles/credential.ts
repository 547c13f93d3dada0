import { type GetIdentityToken, identityTokenOf, type PlatformIdentity, type Settings } from '@authconn/sdk'

/** What the vault is asked with: a key, or the identity of a CI job or a pod that it gives a key for. */
export interface Credential {
  options: { apiKey: string } | IdentityOptions
  /** Where it comes from, in words. */
  from: string
  /** The variable that holds it, or leads to it. */
  variable: string
  platform?: PlatformIdentity
}

export interface IdentityOptions {
  identity: GetIdentityToken
  audience: string | undefined
  workspace: string | undefined
  trust: string | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/** The key that the environment holds, or else the OIDC token that it was given for the vault. */
export function credentialOfEnvironment(env: Env, settings: Settings): Credential | undefined {
  const { apiKey, identity } = settings
  if (apiKey !== undefined) {
    const variable = env.AUTHCONN_API_KEY_FILE ? 'AUTHCONN_API_KEY_FILE' : 'AUTHCONN_API_KEY'
    return { options: { apiKey }, from: variable, variable }
  }
  return identity === undefined || identity.kind === 'actions' ? undefined : asCredential(identity, settings)
}

/** The identity that every job of GitHub Actions with the permission has, whatever vault it is for. */
export function credentialOfJob(settings: Settings): Credential | undefined {
  const { apiKey, identity } = settings
  return apiKey === undefined && identity?.kind === 'actions' ? asCredential(identity, settings) : undefined
}

function asCredential(platform: PlatformIdentity, { audience, workspace, trust }: Settings): Credential {
  const { kind, from: variable } = platform
  return {
    options: { identity: (asked) => identityTokenOf(platform, asked), audience, workspace, trust },
    from: `the vault, for the OIDC token of ${kind === 'actions' ? 'this job of GitHub Actions' : variable}`,
    variable,
    platform,
  }
}
