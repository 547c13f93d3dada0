import { duration, list, moment, negated, oneOf, several, text, toggle, words } from '../flags.ts'

export const presetWords = ['github', 'gitlab', 'kubernetes', 'people', 'generic'] as const
export type PresetWord = (typeof presetWords)[number]

const nobodyElse = 'your own limit unless given'

export const trustFlags = {
  name: text('NAME', 'the name of the trust, instead of the argument; after the ids that are bound unless given'),
  preset: oneOf(presetWords, 'whose tokens they are, as below'),
  issuer: text(
    'URL',
    'the issuer, as the iss claim has it; known for github and gitlab, other instances have their own',
  ),
  audience: list(
    'AUDIENCES',
    "what the aud claim must be: the vault's URL unless given, for people the client id",
  ),
  repositoryId: list('IDS', 'github: the ids of the repositories (gh api repos/OWNER/NAME --jq .id)'),
  repositoryOwnerId: list('IDS', 'github: the ids of their owners, for all repositories of those'),
  projectId: list('IDS', 'gitlab: the ids of the projects'),
  namespaceId: list('IDS', 'gitlab: the ids of their groups, for all projects in those'),
  environment: list('NAMES', 'github, gitlab: the environments of the jobs'),
  ref: several('REF', 'github: as refs/heads/main; gitlab: as main; * standing for any characters'),
  refProtected: toggle('gitlab: only jobs on protected branches and tags'),
  jobWorkflowRef: several('REF', 'github: the reusable workflow, as OWNER/NAME/.github/workflows/FILE@REF'),
  eventName: list('EVENTS', 'github: what started the workflow, as push'),
  namespace: list('NAMES', 'kubernetes: the namespaces of the pods'),
  serviceAccount: list('NAMES', 'kubernetes: their service accounts'),
  serviceAccountUid: list('UIDS', 'kubernetes: the uids of those, which another of the same name does not have'),
  clientId: text('ID', 'people: the public OAuth client that authconn login --oidc uses'),
  scopes: words('LIST', 'people: what that asks for, separated by commas; openid,email unless given'),
  loginUrl: text(
    'URL',
    'people: the URL of the vault that they log in to, to the letter; that of this command unless given',
  ),
  hd: list('DOMAINS', 'people: the Google Workspace domains'),
  emailDomain: list('DOMAINS', 'people: the domains of their verified e-mail addresses'),
  group: several('GROUP', 'people: a group of the groups claim'),
  claim: several(
    'NAME=VALUE',
    'what another claim must be; the same name again for another value that will do, too',
  ),
  jwksUri: text('URL', "where the issuer's keys are, when its metadata does not say so"),
  jwksFile: text('FILE', "a file with the issuer's public keys (JWKS), when the vault cannot reach it"),
  algorithm: list('NAMES', 'the signature algorithms; RS256,ES256 unless given'),
  maxAge: duration('how old a token may be', { from: 60, to: 86_400 }),
  singleUse: toggle('take each token once; so unless said otherwise, but for gitlab and kubernetes'),
  reusable: toggle('take a token again as long as it is good; so for gitlab and kubernetes'),
  keyLifetime: duration('how long a key works that is given for a token; 15m unless given, for people 8h', {
    from: 60,
    to: 43_200,
  }),
  allow: list('PERMISSIONS', 'what those keys may do, as with callers create; token:read unless given'),
  connection: list('PATTERNS', `the connections they are for, * standing for any characters; ${nobodyElse}`),
  subject: several('SUBJECT', `a user of the application they may act for, * as above; ${nobodyElse}`),
  subjects: negated("they may act for no users: for the application's own grants only"),
  allSubjects: toggle('they may act for all users'),
  address: list('RANGES', `the addresses and CIDR ranges they may be used from; ${nobodyElse}`),
  expires: moment(`when the trust ends (${nobodyElse})`, 'ahead'),
}

/** The flags that say something about the token of one preset alone. */
export const flagsOfPresets: Readonly<Record<PresetWord, readonly (keyof typeof trustFlags)[]>> = {
  github: ['repositoryId', 'repositoryOwnerId', 'environment', 'ref', 'jobWorkflowRef', 'eventName'],
  gitlab: ['projectId', 'namespaceId', 'environment', 'ref', 'refProtected'],
  kubernetes: ['namespace', 'serviceAccount', 'serviceAccountUid'],
  people: ['clientId', 'scopes', 'loginUrl', 'hd', 'emailDomain', 'group'],
  generic: [],
}

export const presetMeanings: Readonly<Record<PresetWord, string>> = {
  github: 'jobs of GitHub Actions',
  gitlab: 'jobs of GitLab CI/CD',
  kubernetes: 'pods of a cluster, by their service accounts',
  people: 'people, who log in in the browser (authconn login --oidc)',
  generic: 'any other issuer: say the rest by --issuer and --claim',
}
