import { createLocalJWKSet, type LocalJWKSet } from 'jose'
import { ProviderFailure } from '../../core/oauth-port.ts'
import { type KeySource, KeysUnavailable } from '../../core/trust-port.ts'
import { publicPartOf } from '../../core/trusts/read-public-keys.ts'
import { readJsonObject } from '../oauth/read-json.ts'
import type { SafeFetch } from '../oauth/safe-fetch.ts'

export interface IssuerKeys {
  /** The keys of an issuer, not older than ten minutes. Throws KeysUnavailable. */
  get(source: KeySource): Promise<LocalJWKSet>
  /**
   * Keys that are newer than those, for a token by a key that is not among them: an issuer that has changed its keys looks
   * so. undefined where they were asked for a moment ago: made-up key ids must not make the vault a source of load.
   */
  getNewer(source: KeySource, than: LocalJWKSet): Promise<LocalJWKSet | undefined>
}

/** Milliseconds. */
const longestAge = 600_000
const pause = 30_000
const pauseAfterFailure = 5_000
const mostKeys = 100
const mostBytes = 256 * 1024
/** Issuers whose keys are held; the one that was asked for longest ago goes first. */
const mostHeld = 500

interface Held {
  keys?: LocalJWKSet
  /** When they were got. */
  gotAt: number
  /** When they were last asked for. */
  askedAt: number
  failure?: KeysUnavailable | undefined
  /** What all wait for who want them at this moment. */
  underWay?: Promise<LocalJWKSet> | undefined
}

/**
 * The keys of issuers, from where a trust says they are, or the metadata of the issuer says (OpenID Connect Discovery
 * section 4). Nothing in a token has a say in that.
 */
export function createIssuerKeys(deps: {
  safeFetch: SafeFetch
  /** Milliseconds of a clock that never goes back. */
  clock(): number
}): IssuerKeys {
  const { safeFetch, clock } = deps
  const all = new Map<string, Held>()

  return {
    async get(source) {
      if (source.jwks)
        return createLocalJWKSet({ keys: source.jwks.keys } as Parameters<typeof createLocalJWKSet>[0])
      const held = heldOf(source)
      if (held.keys && clock() - held.gotAt < longestAge) return held.keys
      return load(source, held)
    },
    async getNewer(source, than) {
      if (source.jwks) return undefined
      const held = heldOf(source)
      if (held.keys && held.keys !== than) return held.keys
      if (!held.underWay && clock() - held.askedAt < pause) return undefined
      return load(source, held)
    },
  }

  async function load(source: KeySource, held: Held): Promise<LocalJWKSet> {
    if (held.underWay) return held.underWay
    if (held.failure && clock() - held.askedAt < pauseAfterFailure) throw held.failure
    held.askedAt = clock()
    held.underWay = fetchKeys(source)
      .then((keys) => {
        Object.assign(held, { keys, gotAt: clock(), failure: undefined })
        return keys
      })
      .catch((error: unknown) => {
        held.failure = toUnavailable(error)
        throw held.failure
      })
      .finally(() => {
        held.underWay = undefined
      })
    return held.underWay
  }

  async function fetchKeys({ issuer, jwksUri }: KeySource): Promise<LocalJWKSet> {
    const { keys } = await fetchJson(jwksUri ?? (await findKeys(issuer)), 'the keys of the issuer')
    if (!Array.isArray(keys) || keys.length > mostKeys) {
      throw unusable('the keys of the issuer', Array.isArray(keys) ? `more than ${mostKeys}` : 'no list of keys')
    }
    const usable = keys.filter((key) => typeof key === 'object' && key !== null && !Array.isArray(key))
    return createLocalJWKSet({ keys: usable.map(publicPartOf) } as Parameters<typeof createLocalJWKSet>[0])
  }

  /** Compared to the letter (OpenID Connect Discovery section 4.3). */
  async function findKeys(issuer: string): Promise<string> {
    const what = 'the metadata of the issuer'
    const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, what)
    if (document.issuer !== issuer) throw unusable(what, 'another issuer in it')
    if (typeof document.jwks_uri !== 'string' || !URL.canParse(document.jwks_uri)) {
      throw unusable(what, 'no jwks_uri in it')
    }
    return document.jwks_uri
  }

  async function fetchJson(url: string, what: string): Promise<Record<string, unknown>> {
    const response = await safeFetch(url, { headers: { accept: 'application/json' }, maxBodyBytes: mostBytes })
    if (response.status !== 200) throw unusable(what, `status ${response.status}`)
    const document = await readJsonObject(response)
    if (typeof document === 'string') throw unusable(what, document)
    return document
  }

  function heldOf({ issuer, jwksUri }: KeySource): Held {
    const id = jwksUri === null ? `metadata ${issuer}` : `uri ${jwksUri}`
    const held = all.get(id) ?? { gotAt: Number.NEGATIVE_INFINITY, askedAt: Number.NEGATIVE_INFINITY }
    all.delete(id)
    all.set(id, held)
    const [oldest] = all.keys()
    if (all.size > mostHeld && oldest !== undefined) all.delete(oldest)
    return held
  }
}

function unusable(what: string, found: string): KeysUnavailable {
  return new KeysUnavailable(`For ${what} there was ${found}`, pauseAfterFailure / 1000)
}

function toUnavailable(error: unknown): KeysUnavailable {
  if (error instanceof KeysUnavailable) return error
  const detail = error instanceof ProviderFailure ? error.message : 'The keys of the issuer cannot be read'
  return new KeysUnavailable(detail, pauseAfterFailure / 1000, { cause: error })
}
