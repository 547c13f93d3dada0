import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign as signBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Claims = Record<string, unknown>

export interface IssuerKey {
  kid: string
  alg: string
  privateKey: KeyObject
  publicKey: KeyObject
  /** What the issuer publishes of it besides what it is. */
  published: Record<string, unknown>
}

export interface OidcIssuer {
  url: string
  /** Paths that were asked for, in order. */
  hits: string[]
  /** By the ids of its keys, in the order in which they are published. */
  keys: Map<string, IssuerKey>
  /** Answers everything with 500. */
  failing: boolean
  /** Claims of a job of GitHub Actions for that audience, as they are now. */
  githubClaims(changes?: Claims): Claims
  /** Signed by a key of the issuer: the first one unless said. */
  sign(claims: Claims, options?: { kid?: string; header?: Claims }): string
  /** Puts a key in the place of all that are published. */
  rotate(kid: string): void
  stop(): Promise<void>
}

export const vaultAudience = 'https://vault.example'

/** An issuer of the shape of GitHub's, with discovery, keys and signatures that are real, on a loopback address. */
export async function startIssuer(): Promise<OidcIssuer> {
  const server = createServer((request, response) => {
    issuer.hits.push(request.url ?? '')
    if (issuer.failing) return answer(response, 500, { message: 'down' })
    if (request.url === '/.well-known/openid-configuration') {
      return answer(response, 200, { issuer: issuer.url, jwks_uri: `${issuer.url}/.well-known/jwks` })
    }
    if (request.url === '/.well-known/jwks') {
      return answer(response, 200, { keys: [...issuer.keys.values()].map(publish) })
    }
    answer(response, 404, {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer: OidcIssuer = {
    url: `http://127.0.0.1:${port}`,
    hits: [],
    keys: new Map([createKey('first'), createKey('elliptic', 'ES256')].map((key) => [key.kid, key])),
    failing: false,
    githubClaims(changes = {}) {
      const now = Math.floor(Date.now() / 1000)
      const claims: Claims = {
        ...githubClaims,
        iss: issuer.url,
        jti: randomUUID(),
        iat: now,
        nbf: now - 600,
        exp: now + 300,
      }
      const all = { ...claims, ...changes }
      return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    },
    sign(claims, { kid = 'first', header = {} } = {}) {
      const key = issuer.keys.get(kid)
      if (!key) throw new Error(`The issuer has no key ${kid}`)
      return signWith(key, claims, header)
    },
    rotate(kid) {
      issuer.keys = new Map([[kid, createKey(kid)]])
    },
    stop() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return issuer
}

/** https://docs.github.com/en/actions/reference/security/oidc, without what changes with each token. */
export const githubClaims: Claims = {
  sub: 'repo:octo-org/octo-repo:environment:production',
  aud: vaultAudience,
  ref: 'refs/heads/main',
  ref_type: 'branch',
  sha: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15',
  repository: 'octo-org/octo-repo',
  repository_id: '456789',
  repository_owner: 'octo-org',
  repository_owner_id: '123456',
  repository_visibility: 'private',
  actor: 'octocat',
  actor_id: '12',
  workflow: 'deploy',
  workflow_ref: 'octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main',
  job_workflow_ref: 'octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main',
  environment: 'production',
  event_name: 'push',
  run_id: '1234567890',
  run_number: '10',
  run_attempt: '1',
  check_run_id: '77',
  runner_environment: 'github-hosted',
}

export function createKey(kid: string, alg = 'RS256', published: Claims = {}): IssuerKey {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: Number(published.bits ?? 2048) })
  const { bits: _, ...others } = published
  return { kid, alg, ...pair, published: { alg, use: 'sig', ...others } }
}

export function signWith(key: IssuerKey, claims: unknown, header: Claims = {}): string {
  const given = { alg: key.alg, typ: 'JWT', kid: key.kid, ...header }
  const input = `${encode(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)))}.${encode(claims)}`
  return `${input}.${signatureOf(key, String(given.alg), input)}`
}

export function signByHmac(secret: string | Buffer, claims: unknown, header: Claims): string {
  const input = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signatureOf({ privateKey }: IssuerKey, alg: string, input: string): string {
  const digest = alg.endsWith('512') ? 'sha512' : 'sha256'
  const isEc = privateKey.asymmetricKeyType === 'ec'
  return signBytes(
    digest,
    Buffer.from(input),
    isEc ? { key: privateKey, dsaEncoding: 'ieee-p1363' } : privateKey,
  ).toString('base64url')
}

function publish({ publicKey, kid, published }: IssuerKey): Claims {
  return { ...publicKey.export({ format: 'jwk' }), kid, ...published }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
