import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loginNonce } from '../../src/core/trusts/login-nonce.ts'
import { createKey, type OidcIssuer, signWith, startIssuer, vaultAudience } from '../support/oidc-issuer.ts'
import { type Answer, expectProblem, useVault } from '../support/vault.ts'

const v = useVault()
let issuer: OidcIssuer
beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.stop())

const trustBody = (given: Record<string, unknown> = {}) => ({
  name: `trust-${randomUUID()}`,
  preset: 'github' as const,
  issuer: issuer.url,
  audience: [vaultAudience],
  claims: [{ claim: 'repository_id', values: ['456789'] }],
  permissions: ['token:read' as const],
  ...given,
})
const create = (given: Record<string, unknown> = {}, key?: string) =>
  v.call('createTrust', { body: trustBody(given) as never }, key)

async function newTrust(given: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await create(given)
  if (status !== 201) throw new Error(JSON.stringify(body))
  return body.name
}

const exchange = (token: string, given: Record<string, unknown> = {}) =>
  v.call(
    'exchangeToken',
    {
      body: {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        ...given,
      },
    },
    null,
  )
const sign = (changes = {}) => issuer.sign(issuer.githubClaims(changes))
const recordOf = async ({ headers }: Answer) => {
  const { body } = await v.call('listAudit', { query: { limit: 100 } })
  return body.records.find((each: { request_id: string }) => each.request_id === headers['x-request-id'])
}

describe('a trust', () => {
  test('takes what is usual for its preset', async () => {
    expect((await create()).body).toMatchObject({
      preset: 'github',
      algorithms: ['RS256', 'ES256'],
      max_age: 600,
      single_use: true,
      key_lifetime: 900,
      connections: ['*'],
      subjects: null,
      jwks: null,
      jwks_uri: null,
      login: null,
      expires_at: null,
      last_used_at: null,
    })
    const pods = { preset: 'kubernetes', claims: [{ claim: '/kubernetes.io/namespace', values: ['prod'] }] }
    expect((await create(pods)).body).toMatchObject({ max_age: 3600, single_use: false })
    const people = {
      preset: 'people',
      claims: [{ claim: 'groups', values: ['ops'] }],
      login: { client_id: 'client', scopes: ['openid', 'email'], vault_url: 'https://vault.example' },
    }
    expect((await create(people)).body).toMatchObject({ key_lifetime: 28_800, login: people.login })
  })

  test('is listed and shown until it is revoked', async () => {
    const name = await newTrust()
    const listed = async () =>
      (await v.call('listTrusts', { query: { limit: 1000 } })).body.trusts.map(
        (each: { name: string }) => each.name,
      )
    expect(await listed()).toContain(name)
    const shown = await v.call('getTrust', { params: { name } })
    expect(shown.body).toMatchObject({ name, claims: trustBody().claims })
    expectProblem(await create({ name }), 409, 'trust_exists')
    const revoked = await v.call('revokeTrust', { params: { name } })
    expect(revoked.body.revoked_at).toEqual(expect.any(String))
    expect(await recordOf(revoked)).toMatchObject({ action: 'revokeTrust', outcome: 'allowed', target: name })
    expect(await listed()).not.toContain(name)
    expectProblem(await v.call('getTrust', { params: { name } }), 404, 'trust_not_found')
    expectProblem(await v.call('revokeTrust', { params: { name } }), 404, 'trust_not_found')
  })

  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  const jwk = publicKey.export({ format: 'jwk' })
  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      'bound to a name that others can take over',
      { claims: [{ claim: 'repository', values: ['a/b'] }] },
      /repository_id/,
    ],
    ['with keys in two places', { jwks: { keys: [jwk] }, jwks_uri: 'https://issuer.example/keys' }, /left out/],
    ['with a private key', { jwks: { keys: [privateKey.export({ format: 'jwk' })] } }, /private key \(d\)/],
    ['with a key that is none', { jwks: { keys: [{ kty: 'RSA', n: 'AQAB' }] } }, /is no public key/],
    ['with a short key', { jwks: { keys: [short] } }, /fewer than 2048 bits/],
    ['with a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, /one of RSA, EC, OKP/],
    ['with HS256', { algorithms: ['HS256'] }, /one of RS256/],
    ['with none', { algorithms: ['none'] }, /one of RS256/],
    ['whose keys live longer than a workload needs', { key_lifetime: 3601 }, /3600 at most/],
    [
      'for a login of what are no people',
      { login: { client_id: 'a', scopes: ['openid'], vault_url: 'https://a.b' } },
      /people alone/,
    ],
    ['for a login to no vault', { preset: 'people', login: { client_id: 'a', scopes: ['openid'] } }, /vault_url/],
    ['whose issuer is not encrypted', { issuer: 'http://issuer.example' }, /must be https/],
    ['whose issuer has a query', { issuer: 'https://issuer.example/?a=b' }, /must not hold a query/],
    ['whose issuer has a password', { issuer: 'https://a:b@issuer.example' }, /user name or password/],
    [
      'in all of GitHub by a name that leaves the preset out',
      {
        preset: undefined,
        issuer: 'https://token.actions.githubusercontent.com',
        claims: [{ claim: 'repository_owner', values: ['acme'] }],
      },
      /must be github/,
    ],
    [
      'in jobs of gitlab.com under another preset',
      {
        preset: 'kubernetes',
        issuer: 'https://gitlab.com',
        claims: [{ claim: 'sub', values: ['project_path:a/b'] }],
      },
      /must be gitlab or people/,
    ],
    ['that has ended', { expires_at: '2020-01-01T00:00:00Z' }, /lies in the past/],
    ['without bound claims', { claims: [] }, /fewer than 1/],
  ])('is not made %s', async (_what, given, words) => {
    const answer = await create(given)
    expectProblem(answer, 400, 'invalid_request')
    expect(answer.body.detail).toMatch(words)
  })

  test.each(['https://10.0.0.1', 'https://169.254.169.254/latest', 'https://[::ffff:10.0.0.1]'])(
    'is not made for an issuer at %s, which the vault does not call',
    async (url) => {
      expectProblem(await create({ issuer: url }), 400, 'provider_address_refused')
      expectProblem(await create({ jwks_uri: url }), 400, 'provider_address_refused')
    },
  )

  test('keeps of given keys what is public, and nothing else that came with them', async () => {
    const { body } = await create({ jwks: { keys: [{ ...jwk, kid: 'a', 'x-note': 'for prod' }] } })
    expect(body.jwks).toEqual({ keys: [{ ...jwk, kid: 'a' }] })
  })

  test('gives nothing that its maker does not hold', async () => {
    const expires_at = new Date(Date.now() + 3_600_000).toISOString()
    const key = await v.createCaller({
      permissions: ['caller:manage', 'token:read'],
      connections: ['google-*'],
      subjects: ['alice'],
      addresses: ['127.0.0.0/8'],
      expires_at,
    })
    const own = await create({}, key)
    expect(own.body).toMatchObject({
      connections: ['google-*'],
      subjects: ['alice'],
      addresses: ['127.0.0.0/8'],
      expires_at,
    })
    for (const beyond of [
      { permissions: ['connection:manage'] },
      { connections: ['*'] },
      { subjects: null },
      { addresses: null },
      { expires_at: new Date(Date.now() + 7_200_000).toISOString() },
    ]) {
      expectProblem(await create(beyond, key), 403, 'permission_denied')
    }
    const name = await newTrust()
    expectProblem(await v.call('revokeTrust', { params: { name } }, key), 403, 'permission_denied')
  })

  test('gives to no caller that it makes the means to outlive it: none makes keys for others', async () => {
    const name = await newTrust({ permissions: ['caller:manage', 'token:read'] })
    const key = (await exchange(sign(), { trust: name })).body.access_token
    const made = (await v.call('createCaller', { body: { name: randomUUID(), permissions: ['token:read'] } })).body
    expectProblem(await create({}, key), 403, 'permission_denied')
    const body = { name: randomUUID(), permissions: ['token:read' as const] }
    expectProblem(await v.call('createCaller', { body }, key), 403, 'permission_denied')
    expectProblem(
      await v.call('rotateCaller', { params: { id: made.id }, body: {} }, key),
      403,
      'permission_denied',
    )
    expect((await v.call('listCallers', {}, key)).status).toBe(200)
    await v.call('revokeTrust', { params: { name } })
  })

  test('of an operator gives none either that makes workspaces, whose administrators would stay', async () => {
    const operator = await v.createOperator()
    const self = (await v.call('getSelf', {}, operator)).body
    const permissions = ['vault:operate']
    expect(self.permissions).toContain('vault:operate')
    const made = await create({ permissions }, operator)
    expect(made.status).toBe(201)
    const { body } = await exchange(sign(), { trust: made.body.name, workspace: self.workspace })
    const workspace = { name: `w-${randomUUID()}` }
    expectProblem(
      await v.call('createWorkspace', { body: workspace }, body.access_token),
      403,
      'permission_denied',
    )
  })
})

describe('an exchange', () => {
  let name: string
  beforeEach(async () => {
    name = await newTrust({ permissions: ['token:read', 'connection:read'] })
  })

  test('gives a key that fetches tokens and tells what it is', async () => {
    const connection = await v.createAuthorizedConnection()
    const answer = await exchange(sign(), { trust: name })
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: {
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        caller: `trust:${name}`,
        trust: name,
        workspace: 'default',
      },
    })
    const { access_token: key, expires_in, expires_at } = answer.body
    expect(Date.parse(expires_at) - Date.now()).toBeLessThanOrEqual(900_000)
    expect(expires_in).toBeGreaterThan(880)
    expect((await v.call('getToken', { params: { name: connection } }, key)).status).toBe(200)
    const self = (await v.call('getSelf', {}, key)).body
    const sub = 'repo:octo-org/octo-repo:environment:production'
    expect(self).toMatchObject({ name: `trust:${name}`, trust: name, identity: sub, expires_at })
    const fetched = await v.call('listAudit', { query: { caller: `trust:${name}` } })
    expect(fetched.body.records.map((each: { action: string }) => each.action)).toEqual([
      'getSelf',
      'getToken',
      'exchangeToken',
    ])
    expect(fetched.body.records.map((each: { actor: string }) => each.actor)).toEqual([self.id, self.id, self.id])
  })

  test('is on record with who it was, and never with the token', async () => {
    const claims = issuer.githubClaims()
    const token = issuer.sign(claims)
    const answer = await exchange(token, { trust: name })
    const record = await recordOf(answer)
    expect(record).toMatchObject({
      action: 'exchangeToken',
      actor_name: `trust:${name}`,
      outcome: 'allowed',
      target: name,
      detail: { trust: name, issuer: issuer.url, sub: claims.sub, jti: claims.jti, run: '1234567890', job: '77' },
    })
    const all = JSON.stringify((await v.call('listAudit', { query: { limit: 1000 } })).body)
    expect(all).not.toContain(token.split('.')[1])
    expect(all).not.toContain(answer.body.access_token)
    expect((await v.call('verifyAudit', { body: {} })).body).toMatchObject({ intact: true })
  })

  const now = () => Math.floor(Date.now() / 1000)
  test.each([
    {
      preset: 'gitlab',
      claims: [
        { claim: 'project_id', values: ['20'] },
        { claim: 'ref_protected', values: ['true'] },
      ],
      // https://docs.gitlab.com/ci/secrets/id_token_authentication
      token: () => ({
        jti: randomUUID(),
        sub: 'project_path:my-group/my-project:ref_type:branch:ref:main',
        aud: vaultAudience,
        iat: now() - 1800,
        nbf: now() - 1805,
        exp: now() + 1800,
        namespace_id: '72',
        project_id: '20',
        pipeline_id: '574',
        job_id: '302',
        ref: 'main',
        ref_type: 'branch',
        ref_protected: 'true',
      }),
      other: { project_id: '21' },
      header: {},
      told: { run: '574', job: '302' },
    },
    {
      preset: 'kubernetes',
      claims: [
        { claim: '/kubernetes.io/namespace', values: ['prod'] },
        { claim: '/kubernetes.io/serviceaccount/uid', values: ['14ee3fa4-a7e2-420f-9f9a-dbc4507c3798'] },
      ],
      // https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin
      token: () => ({
        aud: [vaultAudience],
        iat: now() - 1800,
        nbf: now() - 1800,
        exp: now() + 1800,
        jti: randomUUID(),
        'kubernetes.io': {
          namespace: 'prod',
          node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
          pod: { name: 'deployer-1', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
          serviceaccount: { name: 'deployer', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
        },
        sub: 'system:serviceaccount:prod:deployer',
      }),
      other: { 'kubernetes.io': { namespace: 'prod', serviceaccount: { name: 'deployer', uid: 'made anew' } } },
      header: { typ: undefined },
      told: { run: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
    },
  ])('takes what $preset gives a job or a pod for its whole life, again and again', async (platform) => {
    const { preset, claims } = platform
    const trust = await newTrust({ preset, claims })
    const signed = (changes = {}) =>
      issuer.sign({ iss: issuer.url, ...platform.token(), ...changes }, { header: platform.header })
    const token = signed()
    const answers = [await exchange(token, { trust }), await exchange(token, { trust })]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect((await recordOf(answers[0] as Answer)).detail).toMatchObject(platform.told)
    expectProblem(await exchange(signed(platform.other), { trust }), 401, 'identity_refused')
  })

  test('is refused alike for every reason, which is on record alone', async () => {
    const used = sign()
    await exchange(used, { trust: name })
    const refused = [
      await exchange('nonsense', { trust: name }),
      await exchange(used, { trust: name }),
      await exchange(sign({ repository_id: '1' }), { trust: name }),
      await exchange(sign({ iss: 'https://issuer.example' }), { trust: name }),
      await exchange(signWith(createKey('first'), issuer.githubClaims()), { trust: name }),
      await exchange(sign(), { trust: 'another' }),
      await exchange(sign(), { workspace: 'another' }),
    ]
    const said = refused.map(({ status, headers, body }) => {
      const { request_id: _, ...rest } = body
      const told = Object.entries(headers).filter(
        ([header]) => !/^(x-request-id|date|content-length)$/.test(header),
      )
      return { status, told, rest }
    })
    for (const each of said) expect(each).toEqual(said[0])
    expectProblem(refused[0] as Answer, 401, 'identity_refused')
    const reasons = await Promise.all(
      refused.slice(0, 6).map(async (answer) => (await recordOf(answer)).detail?.why),
    )
    expect(reasons).toEqual(['malformed', 'replayed', 'claim', 'unknown_issuer', 'signature', 'unknown_issuer'])
    // Of a workspace that is not there, there is nobody to tell.
    expect(await recordOf(refused[6] as Answer)).toBeUndefined()
  })

  test('takes a moment to be refused, so that its time does not tell how far it came', async () => {
    const times: number[] = []
    for (const token of ['nonsense', sign({ repository_id: '1' })]) {
      const before = performance.now()
      await exchange(token, { trust: name })
      times.push(performance.now() - before)
    }
    for (const time of times) expect(time).toBeGreaterThan(190)
  })

  test('ends with its trust, on the next request', async () => {
    const { body } = await exchange(sign(), { trust: name })
    expect((await v.call('listConnections', {}, body.access_token)).status).toBe(200)
    await v.call('revokeTrust', { params: { name } })
    expectProblem(await v.call('listConnections', {}, body.access_token), 401, 'invalid_api_key')
  })

  test('makes a caller that is listed where it is asked for, ended alone, and given no other key', async () => {
    const { body } = await exchange(sign(), { trust: name })
    const everybody = (await v.call('listCallers', { query: { limit: 1000 } })).body.callers
    expect(everybody.map((each: { name: string }) => each.name)).not.toContain(`trust:${name}`)
    const { callers, next } = (await v.call('listCallers', { query: { trust: name, limit: 1 } })).body
    expect(callers).toMatchObject([{ name: `trust:${name}`, trust: name }])
    expect(next).toBeNull()
    const { id } = callers[0]
    expectProblem(await v.call('rotateCaller', { params: { id }, body: {} }), 400, 'invalid_request')
    await v.call('revokeCaller', { params: { id } })
    expectProblem(await v.call('listConnections', {}, body.access_token), 401, 'invalid_api_key')
  })

  test('answers 503 while the keys of the issuer cannot be had, with when to try again', async () => {
    const down = await startIssuer()
    down.failing = true
    const trust = await newTrust({ issuer: down.url })
    const answer = await exchange(down.sign(down.githubClaims()), { trust })
    expectProblem(answer, 503, 'identity_provider_unavailable')
    expect(answer.headers['retry-after']).toBe('5')
    expect(await recordOf(answer)).toMatchObject({ outcome: 'failed', detail: { trust } })
    await down.stop()
  })

  test('refuses a token that is larger than any is', async () => {
    expectProblem(await exchange('x'.repeat(16_385), { trust: name }), 400, 'invalid_request')
  })

  test('is counted by what came of it', async () => {
    const count = async (outcome: string) => {
      const { body } = await v.send('GET', '/metrics', {})
      const line = new RegExp(`^authconn_identity_exchanges_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm')
      return Number(line.exec(body)?.[1] ?? 0)
    }
    const before = { accepted: await count('accepted'), replayed: await count('replayed') }
    const token = sign()
    await exchange(token, { trust: name })
    await exchange(token, { trust: name })
    expect(await count('accepted')).toBe(before.accepted + 1)
    expect(await count('replayed')).toBe(before.replayed + 1)
  })
})

describe('people', () => {
  const login = { client_id: 'cli', scopes: ['openid', 'email'], vault_url: 'https://vault.example/' }
  const claims = { aud: 'cli', sub: '1098', hd: 'example.com', environment: undefined }
  const secret = 'a-secret-of-the-command-line-with-44-letters'
  const nonce = loginNonce(secret, 'https://vault.example')
  const newLogin = () =>
    newTrust({ preset: 'people', audience: ['cli'], claims: [{ claim: 'hd', values: ['example.com'] }], login })

  test('find how to log in to a workspace, and nothing of other trusts', async () => {
    const name = await newLogin()
    const answer = await v.call('listLogins', { query: { workspace: 'default' } }, null)
    expect(answer.body.logins).toContainEqual({ trust: name, issuer: issuer.url, ...login })
    expect(answer.body.logins.every((each: { client_id?: string }) => each.client_id !== undefined)).toBe(true)
    expect((await v.call('listLogins', { query: { workspace: 'nowhere' } }, null)).body).toEqual({ logins: [] })
  })

  test('are taken with an ID token that was obtained for this vault and this client', async () => {
    const trust = await newLogin()
    const taken = await exchange(sign({ ...claims, nonce }), { trust, nonce_secret: secret })
    expect(taken.body.expires_in).toBeGreaterThan(28_700)
    // Issued to another client, for the audience of this one as well.
    const another = sign({ ...claims, nonce, azp: 'another' })
    expectProblem(await exchange(another, { trust, nonce_secret: secret }), 401, 'identity_refused')
  })

  test('end their own key, and no other', async () => {
    const trust = await newLogin()
    const keyFor = async (sub: string) =>
      (await exchange(sign({ ...claims, sub, nonce }), { trust, nonce_secret: secret })).body.access_token
    const [own, other] = [await keyFor('1098'), await keyFor('1099')]
    const ended = await v.call('revokeSelf', {}, own)
    expect(ended).toMatchObject({ status: 200, body: { trust, identity: '1098' } })
    expect(await recordOf(ended)).toMatchObject({ action: 'revokeSelf', outcome: 'allowed' })
    expectProblem(await v.call('getSelf', {}, own), 401, 'invalid_api_key')
    expect((await v.call('getSelf', {}, other)).status).toBe(200)
    // One that lasts is ended by whoever manages callers.
    expectProblem(await v.call('revokeSelf', {}), 403, 'permission_denied')
    expect((await v.call('getSelf')).status).toBe(200)
  })

  test.each<[string, object, object]>([
    [
      'was obtained for another vault, which hands it on with its secret',
      { nonce: loginNonce(secret, 'https://another.example') },
      { nonce_secret: secret },
    ],
    ['comes with another secret', { nonce }, { nonce_secret: `${secret}-` }],
    ['comes without the secret', { nonce }, {}],
    ['has no nonce', {}, { nonce_secret: secret }],
    ['has the secret itself for a nonce', { nonce: secret }, { nonce_secret: secret }],
  ])('are not taken with an ID token that %s', async (_what, changes, sent) => {
    const refused = await exchange(sign({ ...claims, ...changes }), { trust: await newLogin(), ...sent })
    expectProblem(refused, 401, 'identity_refused')
    expect(await recordOf(refused)).toMatchObject({ outcome: 'denied', detail: { why: 'nonce' } })
  })
})
