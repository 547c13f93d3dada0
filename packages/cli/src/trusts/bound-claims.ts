import { AuthconnError } from '@authconn/sdk'
import type { NewTrust } from '@authconn/shared'
import { type FlagValues, kebab } from '../flags.ts'
import { flagsOfPresets, type PresetWord, type trustFlags } from './trust-flags.ts'

type Given = FlagValues<typeof trustFlags>
type Claims = NewTrust['claims']

/** By flag, the claim that it binds: by ids where there are, since names can be given to somebody else. */
const claimNames = {
  repositoryId: 'repository_id',
  repositoryOwnerId: 'repository_owner_id',
  projectId: 'project_id',
  namespaceId: 'namespace_id',
  environment: 'environment',
  ref: 'ref',
  jobWorkflowRef: 'job_workflow_ref',
  eventName: 'event_name',
  namespace: '/kubernetes.io/namespace',
  serviceAccount: '/kubernetes.io/serviceaccount/name',
  serviceAccountUid: '/kubernetes.io/serviceaccount/uid',
  hd: 'hd',
  group: 'groups',
} as const

/** What the flags of a preset and --claim bind. Throws usage for what belongs to another preset. */
export function boundClaims(preset: PresetWord, flags: Given): Claims {
  refuseOthers(preset, flags)
  refuseNames(flags)
  const bound = new Map<string, string[]>()
  const bind = (claim: string, values: readonly string[]) =>
    bound.set(claim, [...new Set([...(bound.get(claim) ?? []), ...values])])
  for (const [flag, claim] of Object.entries(claimNames) as [keyof typeof claimNames, string][]) {
    const values = flags[flag]
    if (values !== undefined) bind(claim, values)
  }
  if (flags.refProtected) bind('ref_protected', ['true'])
  if (flags.emailDomain) {
    bind(
      'email',
      flags.emailDomain.map((domain) => `*@${domain}`),
    )
    // An address that nobody has checked may be anybody's.
    bind('email_verified', ['true'])
  }
  for (const [claim, value] of (flags.claim ?? []).map(readClaim)) bind(claim, [value])
  return [...bound].map(([claim, values]) => ({ claim, values }))
}

/** No token would ever have them: they are names, and a name can be given to somebody else. Throws usage. */
function refuseNames(flags: Given): void {
  for (const [flag, lookUp] of Object.entries(ids) as [keyof typeof ids, string][]) {
    const wrong = flags[flag]?.find((id) => !isId(id))
    if (wrong === undefined) continue
    throw new AuthconnError('usage', `--${kebab(flag)} takes numbers, and ${wrong} is none: ${lookUp}.`)
  }
}

/** Where the id is found. */
const ids = {
  repositoryId: 'gh api repos/OWNER/NAME --jq .id',
  repositoryOwnerId: 'gh api users/OWNER --jq .id',
  projectId: 'it is on the page of the project, or of its settings',
  namespaceId: 'it is on the page of the group, or of its settings',
} as const

export function isId(text: string): boolean {
  return /^\d+$/.test(text)
}

function readClaim(given: string): [claim: string, value: string] {
  const [, claim, value] = /^([^=]+)=(.+)$/s.exec(given) ?? []
  if (claim !== undefined && value !== undefined) return [claim, value]
  throw new AuthconnError('usage', '--claim takes NAME=VALUE: a claim of the token, and what it must be.')
}

function refuseOthers(preset: PresetWord, flags: Given): void {
  const own = flagsOfPresets[preset]
  const others = Object.entries(flagsOfPresets).flatMap(([other, names]) =>
    names.filter((name) => !own.includes(name)).map((name) => ({ other, name })),
  )
  const wrong = others.find(({ name }) => flags[name] !== undefined)
  if (wrong) throw new AuthconnError('usage', `--${kebab(wrong.name)} goes with --preset ${wrong.other}.`)
}
