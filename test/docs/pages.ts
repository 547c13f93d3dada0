import { clientCertificate, serverCertificate } from '../../packages/server/test/support/certificates.ts'

/** What a page takes for granted where it is read. */
export interface Setting {
  /** Connections that have been authorized before, by their names and providers. */
  given?: Readonly<Record<string, string>>
  /**
   * What is different from `AUTHCONN_URL` and `AUTHCONN_API_KEY` of an administrator. KEY stands for that key, EMPTY for the URL
   * of a database in which there is nothing.
   */
  env?: Readonly<Record<string, string>>
  files?: Readonly<Record<string, string>>
  /** What was typed before. */
  before?: string
  /** What is not as in the text, since it differs from vault to vault. */
  instead?: Readonly<Record<string, string>>
  /** What a piece of TypeScript needs that the text around it has told, by words that are in it. */
  around?: Readonly<Record<string, string>>
}

const vault = 'https://vault.example.com'
const script = '#!/bin/sh\ntest -n "$GOOGLE_TOKEN" || exit 1\n'
const library = "import { authconnection } from '@authconn/sdk'\n"

const { key: privateKey } = clientCertificate
const serviceAccount = {
  ...{ type: 'service_account', client_email: 'robot@example.iam.gserviceaccount.com', private_key: privateKey },
  ...{ client_id: '1001', private_key_id: 'k1', token_uri: 'https://oauth2.googleapis.com/token' },
}

/** What the readers of all pages have. */
export const files: Readonly<Record<string, string>> = {
  secret: 'client-secret-1',
  'new-secret': 'client-secret-2',
  'report.sh': script,
  'key.pem': privateKey,
  'cert.pem': clientCertificate.cert,
  'key.json': JSON.stringify(serviceAccount),
}

const google = { 'google-oauth': 'google' }
const three = { ...google, quickbooks: 'quickbooks', github: 'github' }

export const settings: Readonly<Record<string, Setting>> = {
  'docs/connecting.md': {
    given: { slack: 'slack' },
    around: {
      "call('startAuthorization'": [
        "import { execFileSync } from 'node:child_process'",
        "import { createClient } from '@authconn/sdk'",
        "const vault = createClient({ url: process.env.AUTHCONN_URL ?? '', apiKey: process.env.AUTHCONN_API_KEY ?? '' })",
        "const follow = ['-s', '-o', '/dev/null', '-w', '%{redirect_url}']",
        "const request = { get url() { return execFileSync('curl', [...follow, begun.authorization_url], { encoding: 'utf8' }) } }",
        '',
      ].join('\n'),
    },
  },
  'docs/key-sources.md': { env: { DATABASE_URL: 'EMPTY', AUTHCONN_DATA_DIR: './vault' } },
  'docs/operating.md': {
    given: google,
    env: { AUTHCONN_API_KEY: '', ADMIN_KEY: 'KEY' },
    files: { 'etc/authconn/cert.pem': serverCertificate.cert, 'etc/authconn/key.pem': serverCertificate.key },
  },
  'docs/audit.md': { given: google },
  'docs/functions.md': { given: google },
  'docs/guides/ci-github.md': {
    given: google,
    env: { AUTHCONN_URL: vault, GITHUB_ENV: './github.env' },
  },
  'docs/guides/ci-gitlab.md': { given: google, env: { AUTHCONN_URL: vault } },
  'docs/guides/migrating-from-environment-variables.md': {
    files: { '.env': 'GOOGLE_CLIENT_ID=id-1\nGOOGLE_CLIENT_SECRET=secret-1\nGOOGLE_TOKEN=old\n' },
  },
  'docs/guides/production.md': {
    env: { DATABASE_URL: 'EMPTY', AUTHCONN_DATA_DIR: './vault' },
  },
  'docs/other-grants.md': { given: { github: 'github' } },
  'docs/getting-tokens.md': { given: three },
  'docs/refreshing.md': {
    given: google,
    around: { 'authconnection.authenticatedFetch': library },
  },
  'docs/sdk.md': {
    given: google,
    around: {
      'metadata.google.internal': "import { createClient } from '@authconn/sdk'\n",
      'createClient({': "const apiKey = process.env.AUTHCONN_API_KEY ?? ''\n",
      'const google =': library,
      grant_expired: `${library}const askSomebodyToAuthorizeAgain = () => process.exit(3)\n`,
    },
  },
  'docs/workload-identity.md': { env: { AUTHCONN_URL: vault } },
  'packages/sdk/README.md': { given: google },
}

/** Pieces of code that are not run, and why. Commands of ours in them are checked all the same. */
export const marks: readonly { page: string; has: string; why: string }[] = [
  {
    page: 'README.md',
    has: 'npm run quickstart',
    why: 'npm test is this, and test/run.test.ts runs the quickstart',
  },
  { page: 'CONTRIBUTING.md', has: 'npm run build', why: 'test/publish.test.ts looks at what would go out' },
  { page: 'docs/performance.md', has: 'npm run bench', why: 'takes minutes; test/bench runs small ones' },
  {
    page: 'docs/key-sources.md',
    has: 'aws-kms:arn:aws:kms:eu-west-1',
    why: 'wants AWS; test/process/key-services plays it',
  },
  {
    page: 'docs/key-sources.md',
    has: 'google-auth-library',
    why: 'wants Google Cloud, which the same test plays',
  },
  { page: 'docs/key-sources.md', has: 'gcloud kms', why: 'the program of Google Cloud' },
  { page: 'docs/key-sources.md', has: 'az keyvault', why: 'the program of Azure, and an account there' },
  { page: 'docs/key-sources.md', has: 'vault secrets enable', why: 'the program of HashiCorp Vault' },
  {
    page: 'docs/guides/production.md',
    has: 'pg_dump',
    why: "wants PostgreSQL's programs of the server's version; packages/server/test/process/backup.test.ts restores",
  },
  {
    page: 'docs/guides/production.md',
    has: 'pool_mode',
    why: 'packages/server/test/store/pgbouncer.test.ts runs behind one in this mode',
  },
  {
    page: 'docs/key-sources.md',
    has: 'path "transit/',
    why: 'a policy of HashiCorp Vault, which nothing here reads',
  },
]
