/** What the vault withstands, by number, and the tests that show it. */
export interface SecurityPromise {
  number: number
  promise: string
  shownBy: readonly Evidence[]
}

/** Tests of one file, by their full names or the beginnings of them: `describe > test`. */
export interface Evidence {
  file: string
  tests: readonly string[]
}

const server = (file: string, ...tests: string[]): Evidence => ({
  file: `packages/server/test/${file}.test.ts`,
  tests,
})
const cli = (file: string, ...tests: string[]): Evidence => ({ file: `packages/cli/test/${file}.test.ts`, tests })
const sdk = (file: string, ...tests: string[]): Evidence => ({ file: `packages/sdk/test/${file}.test.ts`, tests })
const whole = (file: string, ...tests: string[]): Evidence => ({ file: `test/${file}.test.ts`, tests })
/** The same test in a suite that runs on either database. */
const onBoth = (suite: string, ...tests: string[]) =>
  ['PGlite', 'PostgreSQL'].flatMap((database) => tests.map((test) => `${suite} on ${database} > ${test}`))

/**
 * A promise is kept when every beginning named here is that of a test, and all tests that begin so have passed. To add
 * a test to a promise, name it; to rename one, rename it here as well: a name that nothing begins with is a failure.
 */
export const promises: readonly SecurityPromise[] = [
  {
    number: 1,
    promise: 'a dump of the database holds no secret',
    shownBy: [
      whole('canary/search', 'the search'),
      whole(
        'canary/canary-run',
        'on PostgreSQL > a run',
        'on PostgreSQL > the database',
        'on PGlite > a run',
        'on PGlite > the database',
      ),
    ],
  },
  {
    number: 2,
    promise: 'a sealed value with any bit changed does not open, clearly and on record',
    shownBy: [
      server(
        'core/envelope',
        'a sealed value > does not open when any one of its bits is flipped',
        'a sealed value > does not open when it is cut short',
      ),
      server('http/audit', 'a token that is damaged in the database is refused, clearly and on record'),
    ],
  },
  {
    number: 3,
    promise: 'a sealed value opens nowhere but in its place',
    shownBy: [
      server('core/envelope', 'a sealed value > does not open in another'),
      server('core/sealed-values', 'the test vectors of docs/sealed-values.md'),
    ],
  },
  {
    number: 4,
    promise: 'the same text sealed twice differs',
    shownBy: [server('core/envelope', 'a sealed value > does not hold its plaintext and differs each time')],
  },
  {
    number: 5,
    promise: 'either key rotates while everything stays readable',
    shownBy: [
      server('core/key-rotation', ...onBoth('the rotation of keys', '')),
      server(
        'core/stale-data-key',
        ...onBoth('a process whose data key is let go of while it waits for a provider', ''),
      ),
      server('core/keyring', 'a keyring', 'the uses of a data key'),
      server('store/sealed-columns', ...onBoth('the sealed columns', '')),
      server(
        'process/keys',
        'keys on PGlite > rotate from the first to the last step',
        'keys on PostgreSQL > rotate from the first to the last step',
        'keys > rotate while vaults serve',
      ),
      whole('bench/rotate-keys', 'all keys rotate while tokens are fetched'),
    ],
  },
  {
    number: 6,
    promise: 'without its key the vault refuses to start and changes nothing',
    shownBy: [
      server(
        'process/lifecycle',
        'the key-encryption key > is asked for when it is missing, and nothing is changed',
        'the key-encryption key > is refused when it is another one, by start and by migrate',
        'the key-encryption key > is refused when others can read its file',
        'admin-key > needs the key-encryption key',
      ),
      server(
        'process/keys',
        'keys on PGlite > are refused when the key that wrapped something is not among them',
        'keys on PostgreSQL > are refused when the key that wrapped something is not among them',
      ),
      server('process/backup', 'a dump restored', 'a copy of the data directory'),
    ],
  },
  {
    number: 7,
    promise: 'nothing returns a client secret, and a refresh token only to who may see it',
    shownBy: [
      server('http/tokens', '200 > hands the refresh token to a caller with that permission only'),
      server('http/connections', '400 > invalid_request that says in words what a client secret is'),
      server('http/client-keys', 'security 7'),
      server('http/other-grants', 'a service account > has a token by an assertion that its key signs'),
      whole(
        'canary/canary-run',
        'on PostgreSQL > a run',
        'on PostgreSQL > no answer',
        'on PostgreSQL > the command line',
      ),
    ],
  },
  {
    number: 8,
    promise: 'no token leaves without its audit record',
    shownBy: [
      server(
        'store/durable-files',
        'the embedded database brings every commit to the disk',
        'on a disk that fails > a commit whose log is not synced ends the process and is not answered',
        'on a disk that fails > a commit whose log has no room ends the process and is not answered',
      ),
      server('http/audit', 'without a record > no token leaves, nothing is done'),
      server('core/fetch-token', 'a token is opened while', 'a token that is open stays here'),
      server(
        'core/audit/audit',
        ...onBoth('the audit log', 'says audit_unavailable when a record is not durable'),
      ),
    ],
  },
  {
    number: 9,
    promise: 'no log, error, metric, trace or crash shows a secret',
    shownBy: [
      whole(
        'canary/canary-run',
        'on PostgreSQL > no log',
        'on PostgreSQL > no answer',
        'on PostgreSQL > no metric',
        'on PostgreSQL > no trace',
        'on PostgreSQL > no audit record',
        'on PGlite > no log',
      ),
      server('process/memory', 'a crash', 'start is refused', 'SIGUSR1 opens no debugger in a running vault'),
      server('oauth/sandbox', 'security 9: no error shows a token, code or secret, whatever goes wrong'),
      server(
        'core/secret',
        'a Secret',
        'an error in the log',
        'nothing in the vault takes or gives what is secret as plain text',
      ),
      server('describe-crash', 'a crash is described'),
    ],
  },
  {
    number: 10,
    promise: 'an audit record that was changed or deleted is found',
    shownBy: [
      server(
        'core/audit/audit',
        ...onBoth('the audit log', 'finds ', 'a checkpoint in the middle that is gone is missed'),
      ),
      server('http/audit', 'is verified over the API, and a record that was deleted is missed'),
    ],
  },
  {
    number: 11,
    promise: 'who may do what, for every operation, permission and workspace; a denial tells nothing',
    shownBy: [
      server('http/access-matrix', 'the access matrix', 'a caller sees only the connections it is for'),
      server('http/workspaces', 'an operator'),
      server('http/tokens', '403 > permission_denied for another connection, whether it exists or not'),
    ],
  },
  {
    number: 12,
    promise: 'keys are long, kept as hashes, and refused from the next request on',
    shownBy: [
      server('core/api-key', 'an API key'),
      server(
        'http/callers',
        'a key > is refused from the next request on when it is revoked',
        'a key > is refused when it has expired',
        'a rotation > without an overlap has the former key refused from the next request on',
      ),
      server(
        'process/revocation',
        'what is revoked at one replica is refused by the other from its next request on',
      ),
    ],
  },
  {
    number: 13,
    promise: 'a flood of bad keys is cheap and throttled; limits of callers answer 429',
    shownBy: [
      server(
        'http/failed-authentication',
        'an address is refused after its failures',
        'an IPv6 network of one subscriber counts as one address',
      ),
      server('http/rate-limit', 'answers 429 with Retry-After'),
      server('process/flood', 'callers elsewhere keep half of their throughput through a flood of bad keys'),
    ],
  },
  {
    number: 14,
    promise: 'requests are bounded in size and time, unknown parts refused, and none makes the vault fail',
    shownBy: [
      server('http/fuzz', 'security 14'),
      server('http/undeclared-parts', ''),
      server('http/connections', '413 and 415', '400 > invalid_request that names the unknown field'),
      server('http/broken-request', ''),
      server('http/slow-clients', ''),
      server('http/security-headers', ''),
      server('process/tls', 'with a certificate', 'start is refused'),
    ],
  },
  {
    number: 15,
    promise: 'PKCE, state, nonce and issuer on every authorization',
    shownBy: [
      server(
        'http/authorizations',
        'the authorization request > carries state, nonce and an S256 challenge',
        '400 > callback_invalid for',
        '422 > issuer_mismatch for',
      ),
      server('oauth/authorization', 'security 15 and 16: the authorization response'),
      server('oauth/discovery', 'security 15'),
      server('http/client-keys', 'security 15'),
      server(
        'oauth/sandbox',
        'security 15: an authorization response that was tampered with',
        'with a certified provider > a code without its verifier is worth nothing',
      ),
      server('oauth/id-token', 'security 15 and 17: an ID token'),
      server(
        'store/authorization-store',
        ...onBoth('the authorization store', 'expires, and is not exchanged then'),
      ),
    ],
  },
  {
    number: 16,
    promise: 'a code or callback counts once, and doubled parameters not at all',
    shownBy: [
      server(
        'http/authorizations',
        '409 > authorization_over for a second use, without a second exchange',
        '400 > callback_invalid for',
      ),
      server('oauth/authorization', 'security 15 and 16: the authorization response'),
      server('oauth/sandbox', 'with a certified provider > security 16: a code works once'),
      server('security/16-authorizations', 'security 16'),
      server('security/21-hostile-provider', 'security 15 and 16'),
      server(
        'store/authorization-store',
        ...onBoth(
          'the authorization store',
          'gives an authorization to one exchange only',
          'of one by a device code > gives each question to one process',
        ),
      ),
      server('http/other-grants', 'a device code > that is cancelled is asked for no more'),
    ],
  },
  {
    number: 17,
    promise: 'metadata of another issuer and wrong ID tokens are refused',
    shownBy: [
      server('oauth/discovery', 'security 17'),
      server('oauth/providers', 'security 17'),
      server('oauth/id-token', 'security 15 and 17: an ID token', 'a missing ID token', 'the keys of a provider'),
      server('oauth/sandbox', 'security 17: an ID token'),
      server('security/21-hostile-provider', 'security 17'),
    ],
  },
  {
    number: 18,
    promise: 'the callback listener is on loopback, survives strangers, and ends in every case',
    shownBy: [
      cli('authorize/listener', 'the genuine callback', 'what does not end the wait', 'a slow client', 'the page'),
      cli(
        'authorize/binding',
        'the redirect URI > has the host',
        'the addresses listened on > are loopback only',
        'is free again after close, also with a browser still connected',
      ),
      cli('authorize/authorize', 'an authorization that comes to its end', 'an authorization that does not'),
    ],
  },
  {
    number: 19,
    promise: 'redirect URIs lead to loopback or onto the list',
    shownBy: [
      server('core/redirect-uri', 'a redirect URI'),
      server('http/authorizations', '400 > redirect_uri_not_allowed for'),
    ],
  },
  {
    number: 20,
    promise: 'outbound calls reach no private address, in whatever spelling',
    shownBy: [
      server('oauth/safe-fetch', 'security 20'),
      server('oauth/address-policy', 'security 20'),
      server('oauth/one-door', 'security 20'),
      server('security/20-ssrf-table', 'security 20'),
      server('oauth/proxy', 'security 20'),
      server('oauth/id-token', 'the keys of a provider > security 20'),
    ],
  },
  {
    number: 21,
    promise: 'outbound calls need TLS, follow nothing, and end in time and size',
    shownBy: [
      server('oauth/safe-fetch', 'security 21'),
      server('oauth/sandbox', 'security 21'),
      server('security/21-hostile-provider', 'security 21'),
      server('security/21-memory', 'security 21'),
      server('oauth/discovery', 'metadata is not found > security 21', 'security 21'),
      server('oauth/proxy', 'security 21'),
      server('oauth/client-certificate', 'a client certificate'),
    ],
  },
  {
    number: 22,
    promise: 'token answers that break the RFC are handled on purpose',
    shownBy: [
      server('oauth/token-answer', 'security 22', 'security 9 and 22'),
      server('oauth/sandbox', 'security 22'),
      server('http/misbehaving-provider', 'a provider that', 'an error under status 200 is an error'),
    ],
  },
  {
    number: 23,
    promise: 'killed at any point, a grant is in its old or its new state',
    shownBy: [
      whole('refresh-storm/kills', 'after many kills each grant works'),
      whole('refresh-storm/stale-writer', 'a vault that was stopped during a refresh changes nothing'),
      server('process/kills', 'a kill'),
      server('core/interrupted-refresh', ...onBoth('an attempt whose outcome nobody knows', '')),
    ],
  },
  {
    number: 24,
    promise: 'without its database the vault says so, and recovers by itself',
    shownBy: [server('process/database-outage', '')],
  },
  {
    number: 25,
    promise: 'a provider that is down for long storms nobody, and is not stormed',
    shownBy: [
      whole('refresh-storm/provider-outage', 'a provider that is down is left alone'),
      server(
        'core/circuit-breaker',
        'opens with the first answer, and tells of it once',
        'lets everyone in until',
      ),
    ],
  },
  {
    number: 26,
    promise: 'a token of another platform gives a key to whom a trust means, once, and says why not to nobody',
    shownBy: [
      server('security/26-identities', ...onBoth('security 26: a token of another platform', '')),
      server('core/trusts/claims', 'bound claims', 'a trust'),
      server('store/trust-store', ...onBoth('the trust store', '')),
      server('http/trusts', 'a trust', 'an exchange', 'people'),
      server('http/failed-authentication', 'security 26'),
      server('process/revocation', 'security 26'),
      server('identity/issuer-keys', 'security 26'),
      cli('identity', 'an identity that cannot be used > is told with what was sent, and without the token'),
      cli('login/oidc-provider', 'nothing is taken from'),
      sdk('identity', 'a client with an identity > exchanges', 'a client with an identity > says what'),
    ],
  },
]
