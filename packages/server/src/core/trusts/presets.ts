import type { TrustAlgorithm, TrustPreset } from '@authconn/shared'

/** What is usual for the tokens of a platform, by its documentation. */
export interface Preset {
  /** Claims of which one at least must be bound to exact values: ids that are never given to somebody else. */
  oneOf: readonly string[] | undefined
  maxAge: number
  singleUse: boolean
  keyLifetime: number
  longestKeyLifetime: number
  /** Claims that tell which run and which job it was, for the audit log. */
  run?: string
  job?: string
}

export const defaultAlgorithms: readonly TrustAlgorithm[] = ['RS256', 'ES256']

const workload = { singleUse: true, maxAge: 600, keyLifetime: 900, longestKeyLifetime: 3600 }

export const presets: Readonly<Record<TrustPreset | 'generic', Preset>> = {
  // https://docs.github.com/en/actions/reference/security/oidc. A job asks for as many tokens as it likes, each with a jti.
  // Names in `sub` and `repository` can be taken over by others; these ids cannot.
  github: {
    ...workload,
    oneOf: ['repository_id', 'repository_owner_id', 'enterprise_id'],
    run: 'run_id',
    job: 'check_run_id',
  },
  // https://docs.gitlab.com/ci/secrets/id_token_authentication. A job has one token for each audience, from its start on.
  gitlab: {
    ...workload,
    oneOf: ['project_id', 'namespace_id'],
    singleUse: false,
    maxAge: 3600,
    run: 'pipeline_id',
    job: 'job_id',
  },
  // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin. The kubelet replaces the token of a pod
  // when 80 % of its life are over, which is an hour unless the pod says otherwise.
  kubernetes: {
    ...workload,
    oneOf: [
      'sub',
      '/kubernetes.io/namespace',
      '/kubernetes.io/serviceaccount/uid',
      '/kubernetes.io/pod/uid',
      '/kubernetes.io/node/uid',
    ],
    singleUse: false,
    maxAge: 3600,
    run: '/kubernetes.io/pod/uid',
  },
  people: { ...workload, oneOf: undefined, keyLifetime: 28_800, longestKeyLifetime: 43_200 },
  generic: { ...workload, oneOf: undefined },
}

/**
 * Presets that alone fit an issuer which signs tokens for everybody: under another name, or none, a trust could do without
 * the id that it has to bind. People log in at gitlab.com as well, by tokens that jobs cannot have.
 */
export function presetsFor(issuer: string): readonly TrustPreset[] | undefined {
  // An enterprise of GitHub can have an issuer of its own below.
  if (/^https:\/\/token\.actions\.githubusercontent\.com(\/|$)/i.test(issuer)) return ['github']
  if (/^https:\/\/gitlab\.com\/?$/i.test(issuer)) return ['gitlab', 'people']
  return undefined
}

/** Claims that say something of a token, and not whose it is: alone they would let in everybody of an issuer. */
export const weakClaims: readonly string[] = [
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'typ',
  'acr',
  'amr',
  'email_verified',
  'ref',
  'ref_type',
  'ref_protected',
  'ref_path',
  'environment',
  'environment_protected',
  'event_name',
  'repository_visibility',
  'project_visibility',
  'runner_environment',
  'pipeline_source',
  'base_ref',
  'head_ref',
]

/** Claims in whose values a `*` stands for any characters: they are made of parts, of which only some are known before. */
export const patternClaims: readonly string[] = [
  'sub',
  'ref',
  'job_workflow_ref',
  'workflow_ref',
  'ref_path',
  'ci_config_ref_uri',
  'email',
]
