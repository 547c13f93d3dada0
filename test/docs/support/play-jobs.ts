import { randomUUID } from 'node:crypto'
import type { SigningKey } from '../../../packages/server/test/oauth/support/signing.ts'
import type { Answer, Call } from './play-provider.ts'

const github = {
  iss: 'https://token.actions.githubusercontent.com',
  sub: 'repo:acme@1234/reports@456789:ref:refs/heads/main',
  ...{ repository: 'acme/reports', repository_id: '456789', repository_owner_id: '1234' },
  ...{ ref: 'refs/heads/main', event_name: 'schedule', run_id: '1', runner_environment: 'github-hosted' },
}

const gitlab = {
  iss: 'https://gitlab.com',
  sub: 'project_path:acme/reports:ref_type:branch:ref:main',
  ...{ project_path: 'acme/reports', project_id: '4711', namespace_id: '17' },
  ...{ ref: 'main', ref_type: 'branch', ref_protected: 'true', pipeline_source: 'schedule', job_id: '1' },
}

const cluster = 'https://oidc.example.com/cluster-1'
const pod = (namespace: string, serviceAccount: string) => ({
  iss: cluster,
  sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
  'kubernetes.io': { namespace, serviceaccount: { name: serviceAccount, uid: randomUUID() } },
})

/** The same job of somebody else's repository. */
const strangers = {
  ...{ github: { ...github, repository_id: '666' }, gitlab: { ...gitlab, project_id: '666' } },
  namespace: 'elsewhere',
}

/** What platforms give a job or a pod, by which it can show who it is, and what GitHub and the cluster answer. */
export function playJobs(key: SigningKey) {
  const url = `${github.iss}/request?api-version=2.0`
  const whose = new Map<string, object>()
  const sign = (claims: object, aud: string | null) => {
    const iat = Math.floor(Date.now() / 1000)
    return key.sign({ ...claims, aud, iat, nbf: iat, exp: iat + 300, jti: randomUUID() })
  }
  const jobOf = (claims: { github: object; gitlab: object; namespace: string }): Job => {
    const token = randomUUID()
    whose.set(`bearer ${token}`, claims.github)
    return {
      ofGithub: {
        ...{ ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token },
        // A key would go before it.
        ...{ GITHUB_ACTIONS: 'true', AUTHCONN_API_KEY: '' },
      },
      ofGitlab: (tokens) => {
        const signed = Object.entries(tokens).map(([name, audience]) => [name, sign(claims.gitlab, audience)])
        return { ...Object.fromEntries(signed), GITLAB_CI: 'true', AUTHCONN_API_KEY: '' }
      },
      ofPod: (serviceAccount, audience) => sign(pod(claims.namespace, serviceAccount), audience),
    }
  }
  return {
    own: jobOf({ github, gitlab, namespace: 'shop' }),
    stranger: jobOf(strangers),
    /** undefined for what is not asked of an issuer. */
    answer(call: Call): Answer | undefined {
      if (call.url.href === `${cluster}/.well-known/openid-configuration`) {
        return { status: 200, body: { issuer: cluster, jwks_uri: `${cluster}/jwks` } }
      }
      if (call.url.origin !== github.iss || call.url.pathname !== '/request') return undefined
      const claims = whose.get(String(call.headers.authorization).toLowerCase())
      if (claims === undefined) return { status: 401 }
      return { status: 200, body: { value: sign(claims, call.url.searchParams.get('audience')) } }
    },
  }
}

/** The variables by which a job can say who it is. */
export interface Job {
  ofGithub: Record<string, string>
  /** Tokens for these audiences, by the names of their variables. */
  ofGitlab(tokens: Record<string, string>): Record<string, string>
  /** What the kubelet puts into a volume. */
  ofPod(serviceAccount: string, audience: string): string
}
