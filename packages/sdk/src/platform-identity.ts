import { askActions } from './ask-actions.ts'
import { AuthconnError } from './authconn-error.ts'
import { type Env, environment } from './environment.ts'
import type { GetIdentityToken, IdentityRequest } from './identity.ts'
import { readTextFile } from './read-text-file.ts'

/** The identity that a platform gives to what runs on it, by the variables that say so. Plain data, to be compared. */
export type PlatformIdentity =
  | { kind: 'token'; from: 'AUTHCONN_ID_TOKEN'; token: string }
  | { kind: 'file'; from: 'AUTHCONN_ID_TOKEN_FILE'; file: string }
  | { kind: 'actions'; from: 'ACTIONS_ID_TOKEN_REQUEST_URL'; url: string; token: string }

/**
 * The OIDC token of this CI job or pod: of AUTHCONN_ID_TOKEN or AUTHCONN_ID_TOKEN_FILE, or made by GitHub Actions. Throws
 * unauthenticated where there is none, and identity_token_unavailable.
 */
export const platformIdentity: GetIdentityToken = (asked) => {
  const env = environment()
  const found = findPlatformIdentity(env)
  if (found === undefined) {
    throw new AuthconnError('unauthenticated', `This platform gives no identity: ${noIdentity}.`, {
      hint: adviceForIdentity(env, asked.audience) ?? elsewhere,
    })
  }
  return identityTokenOf(found, asked)
}

/** What the variables say; undefined where there is no identity. An empty one counts as not set. Throws usage. */
export function findPlatformIdentity(env: Env): PlatformIdentity | undefined {
  const { AUTHCONN_ID_TOKEN: token, AUTHCONN_ID_TOKEN_FILE: file } = env
  if (token && file) {
    throw new AuthconnError('usage', 'AUTHCONN_ID_TOKEN and AUTHCONN_ID_TOKEN_FILE are both set; unset one.', {
      title: 'A setting is not valid',
      hint: 'Correct or unset the environment variable.',
    })
  }
  if (token) return { kind: 'token', from: 'AUTHCONN_ID_TOKEN', token }
  if (file) return { kind: 'file', from: 'AUTHCONN_ID_TOKEN_FILE', file }
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken } = env
  if (url && requestToken) {
    return { kind: 'actions', from: 'ACTIONS_ID_TOKEN_REQUEST_URL', url, token: requestToken }
  }
  return undefined
}

/** Its token now: a file is read anew, since the platform puts new tokens into it. */
export async function identityTokenOf(found: PlatformIdentity, asked: IdentityRequest): Promise<string> {
  switch (found.kind) {
    case 'token':
      return found.token.trim()
    case 'file':
      return readTokenFile(found.file)
    case 'actions':
      return askActions(found, asked)
  }
}

async function readTokenFile(file: string): Promise<string> {
  const content = await readTextFile(file).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new AuthconnError('identity_token_unavailable', `AUTHCONN_ID_TOKEN_FILE cannot be read: ${reason}`, {
      cause,
    })
  })
  const token = content.trim()
  if (token !== '') return token
  throw new AuthconnError('identity_token_unavailable', `AUTHCONN_ID_TOKEN_FILE names an empty file: ${file}`)
}

export const noIdentity =
  'neither AUTHCONN_ID_TOKEN nor AUTHCONN_ID_TOKEN_FILE is set, and no ACTIONS_ID_TOKEN_REQUEST_URL of GitHub Actions'

const elsewhere =
  'Set AUTHCONN_ID_TOKEN, or AUTHCONN_ID_TOKEN_FILE to a file that holds the token, or use an API key. An administrator of the vault says by `authconn trusts create` whose tokens are taken.'

/** How to have an identity on this platform, where it is one that is known. */
export function adviceForIdentity(env: Env, audience: string): string | undefined {
  if (env.GITHUB_ACTIONS === 'true') {
    return 'This job of GitHub Actions may not have an identity: give it `permissions: id-token: write`, and have an administrator of the vault make a trust (`authconn trusts create --preset github`). Or set AUTHCONN_API_KEY.'
  }
  if (env.GITLAB_CI === 'true') {
    return `This job of GitLab CI has no ID token for the vault: give it \`id_tokens: AUTHCONN_ID_TOKEN: aud: ${audience}\`, and have an administrator of the vault make a trust (\`authconn trusts create --preset gitlab\`). Or set AUTHCONN_API_KEY.`
  }
  if (env.KUBERNETES_SERVICE_HOST) {
    return `Mount a service account token for the audience ${audience} into this pod and name it by AUTHCONN_ID_TOKEN_FILE (\`authconn trusts create --preset kubernetes\`). Or set AUTHCONN_API_KEY.`
  }
  return undefined
}
