import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hashApiKey } from '../../src/core/callers/api-key.ts'
import type { Trust } from '../../src/core/trust-port.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { createKey, encode, type IssuerKey, signByHmac, signWith, vaultAudience } from '../support/oidc-issuer.ts'
import { codeOf, useIdentities } from './support/identities.ts'

const seconds = () => Math.floor(Date.now() / 1000)

describeEachDatabase('security 26: a token of another platform', (database) => {
  const world = useIdentities(database)
  let trust: Trust
  let forger: IssuerKey
  beforeAll(async () => {
    trust = await world.newTrust()
    forger = createKey('first')
    const { keys } = world.issuer
    for (const key of [
      createKey('for encryption', 'RS256', { use: 'enc' }),
      createKey('short', 'RS256', { bits: 1024 }),
      createKey('for signing only', 'RS256', { key_ops: ['sign'] }),
    ]) {
      keys.set(key.kid, key)
    }
  })
  const claims = (changes = {}) => world.issuer.githubClaims(changes)
  const sign = (changes = {}, header = {}, kid = 'first') => world.issuer.sign(claims(changes), { kid, header })
  const take = (token: string, options = {}) => codeOf(world.newVault().exchange(token, options))
  const isLive = async (key: Parameters<typeof hashApiKey>[0]) =>
    (await world.stores.callers.findLive(hashApiKey(key), null)) !== undefined

  describe('gives a key', () => {
    test.each([
      ['of a repository whose sub has names alone', {}],
      [
        'of the same repository when its sub has ids',
        { sub: 'repo:octo-org@123456/octo-repo@456789:environment:production' },
      ],
      [
        'of the repository under another name',
        { repository: 'new-org/new-name', sub: 'repo:new-org/new-name:ref:x' },
      ],
      ['of a release', { ref: 'refs/tags/v1.2.3' }],
      ['of the other environment', { environment: 'staging' }],
    ])('when it is a job %s', async (_what, changes) => {
      const { apiKey, caller, expiresIn } = await world.newVault().exchange(sign(changes))
      expect(await isLive(apiKey)).toBe(true)
      expect(caller).toMatchObject({
        name: `trust:${trust.name}`,
        permissions: ['token:read'],
        connections: ['google-*'],
        subjects: [],
        trustId: trust.id,
        identity: claims(changes).sub,
      })
      expect(expiresIn).toBeGreaterThan(890)
      expect(expiresIn).toBeLessThanOrEqual(900)
    })

    test('when it is signed by an elliptic key, and says nothing of its type', async () => {
      expect(await take(sign({}, {}, 'elliptic'))).toBe('accepted')
      expect(await take(sign({}, { typ: undefined }))).toBe('accepted')
      expect(await take(sign({}, { typ: 'application/jwt' }))).toBe('accepted')
    })

    test('to the trust that is bound to the sub with ids, and not for the one with names', async () => {
      const { name } = await world.newTrust({
        claims: [
          { claim: 'repository_id', values: ['456789'] },
          { claim: 'sub', values: ['repo:octo-org@123456/octo-repo@456789:*'] },
        ],
      })
      const sub = 'repo:octo-org@123456/octo-repo@456789:environment:production'
      expect(await take(sign(), { trust: name })).toBe('identity_refused')
      expect(await take(sign({ sub }), { trust: name })).toBe('accepted')
      await world.trusts.revoke(trust.workspaceId, name)
    })
  })

  /** What somebody might present, and why it is refused. */
  const forgeries: [what: string, why: string, make: () => string][] = [
    ['something that is no JWT', 'malformed', () => 'nonsense'],
    ['a JWT without its signature', 'malformed', () => sign().split('.').slice(0, 2).join('.')],
    ['a JWT whose signature is empty', 'malformed', () => sign().replace(/[^.]+$/, '')],
    ['an encrypted JWT', 'malformed', () => `${sign()}.a.b`],
    ['claims that are a list', 'malformed', () => world.issuer.sign([] as never)],
    ['claims that are no JSON', 'malformed', () => sign().replace(/\.[^.]+\./, '.bm90IEpTT04.')],
    ['a line end behind it', 'malformed', () => `${sign()}\n`],
    ['alg none', 'algorithm', () => unsigned({ alg: 'none' })],
    ['alg nOnE', 'algorithm', () => unsigned({ alg: 'nOnE' })],
    ['no alg', 'malformed', () => unsigned({})],
    [
      'HS256 under the public key of the issuer',
      'algorithm',
      () => signByHmac(publicPem(), claims(), { kid: 'first' }),
    ],
    ['HS256 under an empty secret', 'algorithm', () => signByHmac('', claims(), { kid: 'first' })],
    ['RS512, which the trust does not list', 'algorithm', () => sign({}, { alg: 'RS512' })],
    ['ES256 with the id of an RSA key', 'unknown_key', () => sign({}, { kid: 'first' }, 'elliptic')],
    ['RS256 with the id of an elliptic key', 'unknown_key', () => sign({}, { kid: 'elliptic' })],
    ['a key that the issuer does not have', 'unknown_key', () => signWith(createKey('unheard of'), claims())],
    ['no key id, where the issuer has several keys', 'unknown_key', () => sign({}, { kid: undefined })],
    ['a key id that is a path', 'unknown_key', () => sign({}, { kid: '../first' })],
    ['a key id that is no text', 'header', () => sign({}, { kid: 1 })],
    ['a key that is published for encryption', 'unknown_key', () => sign({}, {}, 'for encryption')],
    ['a key that is published for signing alone', 'unknown_key', () => sign({}, {}, 'for signing only')],
    ['a key of 1024 bits', 'unknown_key', () => sign({}, {}, 'short')],
    ['a key of somebody else under the same id', 'signature', () => signWith(forger, claims())],
    [
      'claims that were changed after they were signed',
      'signature',
      () => tampered({ repository_id: '456789', sub: 'x' }),
    ],
    ['a signature with one bit changed', 'signature', () => flipped(sign())],
    [
      'the signature of another token',
      'signature',
      () => withSignature(sign(), sign({ run_id: '2' }).split('.')[2]),
    ],
    ['a signature of zeros', 'signature', () => withSignature(sign({}, {}, 'elliptic'), 'A'.repeat(86))],
    ['its own key in the header (jwk)', 'header', () => signWith(forger, claims(), { jwk: publicJwk(forger) })],
    ['a place of keys in the header (jku)', 'header', () => signWith(forger, claims(), { jku: elsewhere() })],
    [
      'a place of a certificate in the header (x5u)',
      'header',
      () => signWith(forger, claims(), { x5u: elsewhere() }),
    ],
    ['a certificate in the header (x5c)', 'header', () => signWith(forger, claims(), { x5c: ['MIIB'] })],
    ['an extension that must be understood (crit)', 'header', () => sign({}, { crit: ['exp2'], exp2: 1 })],
    ['a payload that is not encoded (b64)', 'header', () => sign({}, { crit: ['b64'], b64: false })],
    ['the type of an access token', 'type', () => sign({}, { typ: 'at+jwt' })],
    ['the type of a logout token', 'type', () => sign({}, { typ: 'logout+jwt' })],
    ['an issuer with a slash at its end', 'unknown_issuer', () => sign({ iss: `${world.issuer.url}/` })],
    [
      'an issuer in another spelling',
      'unknown_issuer',
      () => sign({ iss: world.issuer.url.replace('http', 'HTTP') }),
    ],
    ['an issuer that nobody trusts, with keys of its own', 'unknown_issuer', () => signedByStranger()],
    ['no issuer', 'malformed', () => sign({ iss: undefined })],
    ['several issuers', 'malformed', () => sign({ iss: [world.issuer.url] })],
    ['no audience', 'incomplete', () => sign({ aud: undefined })],
    ['the usual audience of the platform', 'audience', () => sign({ aud: 'https://github.com/octo-org' })],
    ['an audience that only begins as ours', 'audience', () => sign({ aud: `${vaultAudience}/` })],
    ['an audience beside ours', 'audience', () => sign({ aud: [vaultAudience, 'https://else.example'] })],
    ['an empty list of audiences', 'audience', () => sign({ aud: [] })],
    ['no end', 'incomplete', () => sign({ exp: undefined })],
    ['an end that is text', 'incomplete', () => sign({ exp: String(seconds() + 300) })],
    ['an end that has come', 'expired', () => sign({ iat: seconds() - 400, exp: seconds() - 60 })],
    ['an end before its beginning', 'incomplete', () => sign({ iat: seconds() + 20, exp: seconds() + 10 })],
    ['no time of issue', 'incomplete', () => sign({ iat: undefined })],
    ['a time of issue to come', 'not_yet_valid', () => sign({ iat: seconds() + 120, exp: seconds() + 600 })],
    ['a beginning to come', 'not_yet_valid', () => sign({ nbf: seconds() + 120 })],
    ['an age beyond what the trust takes', 'too_old', () => sign({ iat: seconds() - 700, exp: seconds() + 3600 })],
    ['no subject', 'incomplete', () => sign({ sub: undefined })],
    ['a subject with a control character', 'incomplete', () => sign({ sub: 'a\u0000b' })],
    [
      'a repository that took over the name of ours',
      'claim repository_id',
      () => sign({ repository_id: '999999', repository_owner_id: '888888' }),
    ],
    ['another repository of the owner', 'claim repository_id', () => sign({ repository_id: '456788' })],
    ['an id that is only part of ours', 'claim repository_id', () => sign({ repository_id: '45678' })],
    ['no repository id', 'claim repository_id', () => sign({ repository_id: undefined })],
    ['an environment that is not bound', 'claim environment', () => sign({ environment: 'preview' })],
    ['the environment in another case', 'claim environment', () => sign({ environment: 'Production' })],
    ['no environment', 'claim environment', () => sign({ environment: undefined })],
    ['a branch that begins as ours', 'claim ref', () => sign({ ref: 'refs/heads/main-2' })],
    ['a pull request', 'claim ref', () => sign({ ref: 'refs/pull/1/merge', event_name: 'pull_request' })],
  ]

  function unsigned(header: object): string {
    return `${encode({ typ: 'JWT', ...header })}.${encode(claims())}.AAAA`
  }
  function publicPem(): string {
    const pem = world.issuer.keys.get('first')?.publicKey.export({ format: 'pem', type: 'spki' })
    if (typeof pem !== 'string') throw new Error('the issuer has no such key')
    return pem
  }
  function publicJwk(key: IssuerKey) {
    return key.publicKey.export({ format: 'jwk' })
  }
  function elsewhere(): string {
    return `${world.stranger.url}/.well-known/jwks`
  }
  function signedByStranger(): string {
    return world.stranger.sign(world.stranger.githubClaims())
  }
  function tampered(changes: object): string {
    return sign().replace(/\.[^.]+\./, `.${encode(claims(changes))}.`)
  }
  function withSignature(token: string, signature = ''): string {
    return token.replace(/[^.]+$/, signature)
  }
  function flipped(token: string): string {
    const bytes = Buffer.from(token.split('.')[2] ?? '', 'base64url')
    bytes[10] = (bytes[10] ?? 0) ^ 1
    return withSignature(token, bytes.toString('base64url'))
  }

  test('there are more than 25 forgeries to try', () => {
    expect(new Set(forgeries.map(([what]) => what)).size).toBe(forgeries.length)
    expect(forgeries.length).toBeGreaterThan(25)
  })

  let vault: ReturnType<typeof world.newVault> | undefined
  test.for(forgeries)('is refused with %s', async ([_what, why, make]) => {
    vault ??= world.newVault()
    expect(await codeOf(vault.exchange(make()))).toBe('identity_refused')
    const [record] = world.records
    expect(record).toMatchObject({
      action: 'exchangeToken',
      workspaceId: trust.workspaceId,
      actor: null,
      outcome: 'denied',
      reason: 'identity_refused',
    })
    const { why: found, claim } = record?.detail ?? {}
    expect(claim === undefined ? found : `${found} ${claim}`).toBe(why)
  })

  test('has nobody called whom it names, and nobody at all for an issuer that no trust is about', async () => {
    const vault = world.newVault()
    for (const token of [
      signWith(forger, claims(), { jku: elsewhere() }),
      signWith(forger, claims(), { x5u: elsewhere() }),
      signedByStranger(),
    ]) {
      expect(await codeOf(vault.exchange(token))).toBe('identity_refused')
    }
    expect(world.stranger.hits).toEqual([])
  })

  test('is taken or refused, whatever its issuer lets people write into it', { timeout: 60_000 }, async () => {
    const nasty = fc.oneof(
      fc.constantFrom<unknown>('\u0000', 'a\u0000b', '\ud800', '', 'x'.repeat(3000), '🔑', null, -1, 1e300, {}, [
        [],
      ]),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.jsonValue(),
    )
    const names = ['sub', 'jti', 'run_id', 'check_run_id', 'environment', 'ref', 'azp', 'nbf', 'iat', 'exp', 'aud']
    const changes = fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), nasty, { maxKeys: 3 })
    const own = await world.newTrust({
      claims: [{ claim: 'repository_id', values: ['456789'] }],
      singleUse: false,
    })
    const vault = world.newVault()
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        const code = await codeOf(vault.exchange(sign(changed), { trust: own.name }))
        seen.add(code)
        expect(['accepted', 'identity_refused']).toContain(code)
        const { detail } = world.records.at(-1) ?? {}
        for (const fact of Object.values(detail ?? {})) expect(fact).toMatch(/^[^\p{Cc}\p{Cs}]{0,255}$/u)
      }),
      { numRuns: 100 },
    )
    expect(seen).toEqual(new Set(['accepted', 'identity_refused']))
    await world.trusts.revoke(trust.workspaceId, own.name)
  })

  test('is refused in another workspace, and in one that is not there', async () => {
    expect(await take(sign(), { workspace: 'nobody-made-it' })).toBe('identity_refused')
    expect(world.records.at(-1)).toMatchObject({ workspaceId: null, detail: { why: 'unknown_issuer' } })
  })

  test('is refused from where the trust does not take it', async () => {
    const { name } = await world.newTrust({ addresses: ['192.0.2.0/24', '2001:db8::/32'] })
    const from = (address?: string) => take(sign(), { trust: name, ...(address ? { address } : {}) })
    expect(await from('192.0.3.1')).toBe('identity_refused')
    expect(world.records.at(-1)?.detail).toMatchObject({ why: 'address', trust: name })
    expect(await from()).toBe('identity_refused')
    expect(await from('192.0.2.7')).toBe('accepted')
    expect(await from('2001:db8::1')).toBe('accepted')
    await world.trusts.revoke(trust.workspaceId, name)
  })

  test('that fits several trusts is taken by the oldest, unless one is named', async () => {
    const other = await world.newTrust({ name: 'a-newer-one', permissions: ['connection:read'] })
    const vault = world.newVault()
    expect((await vault.exchange(sign())).trust.id).toBe(trust.id)
    expect((await vault.exchange(sign(), { trust: other.name })).caller.permissions).toEqual(['connection:read'])
    await world.trusts.revoke(trust.workspaceId, trust.name)
    expect((await vault.exchange(sign())).trust.id).toBe(other.id)
    await world.trusts.revoke(trust.workspaceId, other.name)
    trust = await world.newTrust()
  })

  test('is not kept from its trust by others that were made since, whatever keys those have', async () => {
    const hanging = createServer(() => {})
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
    const { port } = hanging.address() as AddressInfo
    const others = []
    for (let at = 0; at < 8; at++) {
      others.push(await world.newTrust({ jwksUri: `http://127.0.0.1:${port}/${at}` }))
      others.push(
        await world.newTrust({ jwks: { keys: [{ ...publicJwk(createKey('k', 'ES256')), kid: `k${at}` }] } }),
      )
    }
    const begun = performance.now()
    expect((await world.newVault().exchange(sign())).trust.id).toBe(trust.id)
    expect(performance.now() - begun).toBeLessThan(1900)
    hanging.closeAllConnections()
    hanging.close()
    for (const { name } of others) await world.trusts.revoke(trust.workspaceId, name)
  })

  test('is looked for in all trusts whose keys were given, and in those with five other places for keys', async () => {
    const own = createKey('own', 'ES256')
    const places = []
    for (let at = 0; at < 6; at++) {
      places.push(
        await world.newTrust({ jwksUri: `${world.stranger.url}/${at}`, claims: [{ claim: 'x', values: ['y'] }] }),
      )
    }
    const jwks = { keys: [{ ...publicJwk(own), kid: 'own' }] }
    const given = [
      await world.newTrust({ jwks, claims: [{ claim: 'x', values: ['y'] }] }),
      await world.newTrust({ jwks }),
    ]
    const vault = world.newVault()
    expect((await vault.exchange(signWith(own, claims()))).trust.id).toBe(given[1]?.id)
    expect(world.stranger.hits).toHaveLength(4)
    for (const { name } of [...places, ...given]) await world.trusts.revoke(trust.workspaceId, name)
  })

  test('is signed by the keys that were given with the trust, where some were, and by no others', async () => {
    const own = createKey('own')
    const { name } = await world.newTrust({ jwks: { keys: [{ ...publicJwk(own), kid: 'own' }] } })
    expect(await take(signWith(own, claims()), { trust: name })).toBe('accepted')
    expect(await take(sign(), { trust: name })).toBe('identity_refused')
    expect(world.issuer.hits).toEqual([])
    // Nor do those keys serve a trust that has not got them.
    expect(await take(signWith(own, claims()), { trust: trust.name })).toBe('identity_refused')
    await world.trusts.revoke(trust.workspaceId, name)
  })

  describe('is taken once', () => {
    test('however many replicas it is presented to at the same moment', async () => {
      const vaults = [world.newVault(), world.newVault()]
      const token = sign()
      const codes = await Promise.all(
        Array.from({ length: 20 }, (_, n) => codeOf(vaults[n % 2]?.exchange(token) ?? Promise.reject(n))),
      )
      expect(codes.filter((code) => code === 'accepted')).toHaveLength(1)
      expect(codes.filter((code) => code === 'identity_refused')).toHaveLength(19)
      expect(world.records.filter(({ detail }) => detail?.why === 'replayed')).toHaveLength(19)
      const { rows } = await countCallers(String(claims().sub))
      expect(rows).toBeGreaterThan(0)
    })

    test('even in other clothes: with its jti signed again', async () => {
      const jti = randomUUID()
      expect(await take(sign({ jti }))).toBe('accepted')
      expect(await take(sign({ jti, run_attempt: '2' }))).toBe('identity_refused')
      expect(world.records.at(-1)?.detail?.why).toBe('replayed')
    })

    test('without a jti by what is signed, whichever way its signature is written', async () => {
      const token = sign({ jti: undefined }, {}, 'elliptic')
      expect(await take(token)).toBe('accepted')
      expect(await take(token)).toBe('identity_refused')
      expect(await take(withOtherSignature(token))).toBe('identity_refused')
      expect(world.records.at(-1)?.detail?.why).toBe('replayed')
    })

    test('and is not used up by a refusal', async () => {
      const token = sign()
      expect(await take(token, { trust: 'another' })).toBe('identity_refused')
      expect(await take(token)).toBe('accepted')
    })

    test('unless the trust takes it more often, and then within bounds', async () => {
      const { name } = await world.newTrust({ singleUse: false })
      const vault = world.newVault()
      const token = sign()
      expect(await codeOf(vault.exchange(token, { trust: name }))).toBe('accepted')
      expect(await codeOf(vault.exchange(token, { trust: name }))).toBe('accepted')
      expect(await codeOf(vault.exchange(token, { trust: trust.name }))).toBe('identity_refused')
      await world.stores.db.updateTable('used_identities').set({ uses: 1000 }).execute()
      expect(await codeOf(vault.exchange(token, { trust: name }))).toBe('identity_refused')
      await world.trusts.revoke(trust.workspaceId, name)
    })

    async function countCallers(identity: string) {
      const rows = await world.stores.db
        .selectFrom('callers')
        .select('id')
        .where('identity', '=', identity)
        .execute()
      return { rows: rows.length }
    }
  })

  describe('when the trust is revoked', () => {
    test('has no key any more that works', async () => {
      const { name, workspaceId } = await world.newTrust()
      const { apiKey } = await world.newVault().exchange(sign(), { trust: name })
      expect(await isLive(apiKey)).toBe(true)
      await world.trusts.revoke(workspaceId, name)
      expect(await isLive(apiKey)).toBe(false)
      expect(await take(sign(), { trust: name })).toBe('identity_refused')
    })

    test('has none either that was being issued at that moment', async () => {
      const { id, name, workspaceId } = await world.newTrust()
      const vaults = [world.newVault(), world.newVault()]
      const exchanges = Array.from({ length: 16 }, (_, n) =>
        codeOf(vaults[n % 2]?.exchange(sign(), { trust: name }) ?? Promise.reject(n)),
      )
      await exchanges[0]
      await Promise.all([world.trusts.revoke(workspaceId, name), ...exchanges])
      const left = await world.stores.db
        .selectFrom('callers')
        .select('id')
        .where('trust_id', '=', id)
        .where('revoked_at', 'is', null)
        .execute()
      expect(left).toEqual([])
    })
  })

  test('gives no key beyond the end of the trust', async () => {
    const { name } = await world.newTrust({ expiresAt: new Date(Date.now() + 60_000) })
    const { expiresIn } = await world.newVault().exchange(sign(), { trust: name })
    expect(expiresIn).toBeLessThanOrEqual(60)
    await world.stores.db
      .updateTable('trusts')
      .set({ expires_at: new Date(Date.now() - 1000) })
      .where('name', '=', name)
      .execute()
    expect(await take(sign(), { trust: name })).toBe('identity_refused')
  })

  describe('is verified with the keys of its issuer', () => {
    beforeEach(() => {
      world.passed += 3_600_000
    })

    test('which are fetched once by all who need them at the same moment, and then held', async () => {
      const vault = world.newVault()
      await Promise.all(Array.from({ length: 10 }, () => vault.exchange(sign())))
      await vault.exchange(sign())
      expect(world.issuer.hits).toEqual(['/.well-known/openid-configuration', '/.well-known/jwks'])
    })

    test('which made-up key ids do not have fetched again and again', async () => {
      const vault = world.newVault()
      await vault.exchange(sign())
      world.passed += 31_000
      const forged = Array.from({ length: 100 }, (_, n) => signWith(forger, claims(), { kid: `made up ${n}` }))
      const codes = await Promise.all(forged.map((token) => codeOf(vault.exchange(token))))
      expect(new Set(codes)).toEqual(new Set(['identity_refused']))
      // Once for the first token, and once more for all of these.
      expect(world.issuer.hits.filter((path) => path.endsWith('jwks'))).toHaveLength(2)
      expect(await codeOf(vault.exchange(signWith(forger, claims(), { kid: 'one more' })))).toBe(
        'identity_refused',
      )
      expect(world.issuer.hits.filter((path) => path.endsWith('jwks'))).toHaveLength(2)
    })

    test('and without them is neither taken nor refused, until they can be had again', async () => {
      const vault = world.newVault()
      const token = sign()
      world.issuer.failing = true
      expect(await codeOf(vault.exchange(token))).toBe('identity_provider_unavailable')
      expect(world.records.at(-1)).toMatchObject({ outcome: 'failed', reason: 'identity_provider_unavailable' })
      expect(world.outcomes).toEqual(['unavailable'])
      const asked = world.issuer.hits.length
      expect(await codeOf(vault.exchange(token))).toBe('identity_provider_unavailable')
      expect(world.issuer.hits).toHaveLength(asked)
      world.issuer.failing = false
      world.passed += 6000
      expect(await codeOf(vault.exchange(token))).toBe('accepted')
    })

    test('also when the issuer has changed them, and then no more with the former', async () => {
      const vault = world.newVault()
      const before = sign()
      await vault.exchange(sign())
      world.passed += 31_000
      world.issuer.rotate('second')
      expect(await codeOf(vault.exchange(sign({}, {}, 'second')))).toBe('accepted')
      expect(await codeOf(vault.exchange(before))).toBe('identity_refused')
      expect(world.records.at(-1)?.detail?.why).toBe('unknown_key')
      // A process that has not seen a token by the new key learns of it in time.
      const other = world.newVault()
      await other.exchange(sign({}, {}, 'second'))
      expect(await codeOf(other.exchange(before))).toBe('identity_refused')
    })
  })
})

/** With the other of the two values of `s` that an ECDSA signature can have (SEC 1 section 4.1.4). */
function withOtherSignature(token: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const bytes = Buffer.from(token.split('.')[2] ?? '', 'base64url')
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  return token.replace(/[^.]+$/, other.toString('base64url'))
}
