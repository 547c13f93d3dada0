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

/** What a job of GitHub Actions with `id-token: write` is given, and what GitHub answers to it; and the ID tokens of GitLab. */
export function playJobs(key: SigningKey) {
  const request = { url: `${github.iss}/request?api-version=2.0`, token: randomUUID() }
  const sign = (claims: object, aud: string | null) => {
    const iat = Math.floor(Date.now() / 1000)
    return key.sign({ ...claims, aud, iat, nbf: iat, exp: iat + 300, jti: randomUUID() })
  }
  return {
    ofGithub: {
      ...{ ACTIONS_ID_TOKEN_REQUEST_URL: request.url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: request.token },
      // A key would go before it.
      ...{ GITHUB_ACTIONS: 'true', AUTHCONN_API_KEY: '' },
    },
    idTokenOfGitlab: (audience: string) => sign(gitlab, audience),
    /** undefined for what is not asked of GitHub's issuer. */
    answer({ url, headers }: Call): Answer | undefined {
      if (url.origin !== github.iss || url.pathname !== '/request') return undefined
      if (String(headers.authorization).toLowerCase() !== `bearer ${request.token}`) return { status: 401 }
      return { status: 200, body: { value: sign(github, url.searchParams.get('audience')) } }
    },
  }
}

export type Jobs = ReturnType<typeof playJobs>
