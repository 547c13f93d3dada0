import type { Setting } from './pages.ts'

const google = { 'google-oauth': 'google' }
const asOperator = { env: { AUTHCONN_API_KEY: '' }, before: 'authconn-server operator-key' }
const ofCaller = { before: 'authconn callers create ci --allow token:read' }
const ofTrust = {
  before: 'authconn trusts create deploy --preset github --repository-id 456789 --ref refs/heads/main',
}
const login = (profile: string) =>
  `pass | authconn login --profile ${profile} --vault-url https://vault.example.com --store file`
const loggedIn = { env: { AUTHCONN_CONFIG_DIR: './config' }, before: `${login('prod')}\n${login('default')}` }
const ofSubject = { given: google, before: 'authconn authorize google-oauth --subject user-17' }

/** What the examples in the help of a command take for granted, by its words. */
export const settings: Readonly<Record<string, Setting>> = {
  create: { files: { 'secret.txt': 'client-secret-1' } },
  authorize: { given: { ...google, acme: 'github', github: 'github', slack: 'slack' } },
  open: { given: google },
  get: ofSubject,
  token: { given: { ...google, github: 'github' } },
  run: {
    given: { ...google, quickbooks: 'quickbooks', github: 'github' },
    files: { 'sync.js': 'if (!process.env.A || !process.env.B) process.exit(1)' },
  },
  proxy: { given: { github: 'github', openai: 'google' } },
  'function run': {
    given: google,
    files: { 'sync.ts': 'export default async (input: { since?: string } = {}) => input.since ?? null' },
  },
  update: { given: { ...google, acme: 'github' }, files: { 'secret.txt': 'client-secret-2' } },
  revoke: ofSubject,
  delete: { given: google },
  'callers rotate': ofCaller,
  'callers list': ofTrust,
  'trusts list': ofTrust,
  'callers revoke': {
    before:
      'authconn callers create ci --allow token:read\nID=$(authconn callers create web --allow token:read --json | jq -r .id)\nexport ID',
    instead: { '1c9a5f1e-4d0b-4f0e-8f7a-2f6f3c1b9d01': '"$ID"' },
  },
  'trusts get': ofTrust,
  'trusts revoke': ofTrust,
  'audit list': ofCaller,
  'workspaces create': asOperator,
  'workspaces list': asOperator,
  login: { env: { AUTHCONN_CONFIG_DIR: './config' } },
  logout: loggedIn,
  'profiles list': loggedIn,
  'profiles use': loggedIn,
  doctor: { given: google },
}

/** Examples that are not run, and why. They are held against the table of commands all the same. */
export const marks: Readonly<Record<string, string>> = {
  'authconn create': 'asks in a terminal: packages/cli/test/e2e/terminal.test.ts answers',
  'authconn update google-oauth': 'likewise',
  'authconn delete google-oauth': 'likewise',
  'authconn audit verify --head 41:9f86d0…': 'the head is shortened; packages/cli/test/audit.test.ts gives one',
  'authconn login --oidc --vault-url https://vault.example.com':
    'packages/cli/test/e2e/recordings.test.ts plays the provider of a company',
  'source <(authconn completion zsh)': 'packages/cli/test/completion.test.ts asks zsh where there is one',
}
