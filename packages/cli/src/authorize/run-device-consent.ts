import { setTimeout as sleep } from 'node:timers/promises'
import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Authorization, StartedDeviceAuthorization } from '@authconn/shared'
import { isErrorCode } from '@authconn/shared/errors'
import type { Context } from '../context.ts'
import { getGrant } from '../get-grant.ts'
import { isPassing } from '../is-passing.ts'
import { duration } from '../output/time.ts'
import { giveUp } from './give-up.ts'
import { patience } from './patience.ts'
import type { Consent, Consented } from './run-consent.ts'
import { warnUnlessOpened } from './send-person.ts'
import { beginUnhurried } from './start-authorization.ts'
import { obstacleToBrowser, surroundings } from './surroundings.ts'

/** Milliseconds between two questions to the vault, which asks the provider no more often for them. */
const pause = 1_000
/** Milliseconds after the end of an authorization in which the vault still says what became of it, by clocks that may differ. */
const grace = 60_000

/** The consent flow by a device code (RFC 8628): the browser is on any machine, and the vault waits for the provider. */
export async function runDeviceConsent(
  { ctx, vault }: { ctx: Context; vault: AuthconnClient },
  consent: Omit<Consent, 'paste'>,
): Promise<Consented> {
  const { name, scopes, subject } = consent
  const body = { ...(scopes && { scopes }), ...(subject === undefined ? {} : { subject }) }
  const begun = await beginUnhurried(ctx, (signal) =>
    vault.call('startDeviceAuthorization', { params: { name }, body }, { signal }),
  )
  try {
    ctx.signal.throwIfAborted()
    showCode(ctx, begun, consent)
    const completed = await ctx.waitFor(
      'Waiting for the provider',
      waitForOutcome(ctx, vault, begun, consent.timeout),
    )
    // The API key may permit to authorize, and not to look.
    const grant = await getGrant(vault, begun.connection, begun.subject, { timeout: patience }).catch(() => null)
    return { ...completed, grant }
  } catch (error) {
    // What the vault has said to be over is not to be cancelled.
    if (!(error instanceof OutcomeError)) {
      const fate = await giveUp(ctx, vault, begun)
      if (fate.became === 'completed') {
        ctx.warn(`the vault had completed the authorization. See authconn get ${begun.connection}.`)
      }
    }
    throw error
  }
}

/** The vault told how it ended. */
class OutcomeError extends AuthconnError {}

/**
 * Resolves once it is completed. A vault that is away for a while, as while it is restarted, keeps the authorization: it is
 * asked again until its end. Throws why it was not completed, authorization_timeout, or what the command is interrupted with.
 */
async function waitForOutcome(
  { signal, warn }: Context,
  vault: AuthconnClient,
  { id, expires_at }: StartedDeviceAuthorization,
  timeout: number,
): Promise<Authorization> {
  const end = performance.now() + Math.min(timeout * 1000, Date.parse(expires_at) - Date.now() + grace)
  const pauseFor = (milliseconds: number) =>
    sleep(milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted())
  for (let outOfReach = false; ; ) {
    await pauseFor(pause)
    try {
      const authorization = await vault.call('getAuthorization', { params: { id } }, { signal })
      outOfReach = false
      if (authorization.status === 'completed') return authorization
      if (authorization.status !== 'pending') throw endOf(authorization)
    } catch (error) {
      signal.throwIfAborted()
      // One that the vault gave as the outcome is no failure to ask.
      if (error instanceof OutcomeError || !isPassing(error)) throw error
      const wait = 1000 * (error.retryAfter ?? 0)
      if (performance.now() + wait > end) throw error
      if (!outOfReach) warn(`${error.detail} Trying again.`)
      outOfReach = true
      await pauseFor(wait)
    }
    if (performance.now() > end) {
      throw new AuthconnError('authorization_timeout', `Nobody consented within ${duration(timeout)}.`)
    }
  }
}

function endOf({ status, failure, failure_code: code }: Authorization): OutcomeError {
  const detail = status === 'expired' ? 'Nobody entered the code in time.' : (failure ?? 'It failed.')
  return new OutcomeError(code !== null && isErrorCode(code) ? code : 'authorization_over', detail)
}

/** Tells the person where to go with which code, and opens the browser there unless that was not wanted or would not be seen. */
function showCode(
  ctx: Context,
  begun: StartedDeviceAuthorization,
  { browser, timeout }: Pick<Consent, 'browser' | 'timeout'>,
) {
  const { user_code: code, verification_uri: uri, verification_uri_complete: complete } = begun
  // Not the complete one: other users of this machine can read what a program is started with, and could enter the code
  // first, with an account of theirs.
  const url = webAddress(uri)
  const opening = browser && obstacleToBrowser(surroundings(ctx.env)) === undefined
  const left = Math.max(0, (Date.parse(begun.expires_at) - Date.now()) / 1000)
  ctx.instruct(
    [
      `${opening ? 'The browser is opening. If it does not, go' : 'Go'} with a browser on any machine to:`,
      `\n${url}\n`,
      `and enter the code: ${code}`,
      `\nWaiting ${duration(Math.round(Math.min(timeout, left)))}; Ctrl-C ends it.`,
    ].join('\n'),
    {
      authorization_id: begun.id,
      user_code: code,
      verification_uri: uri,
      verification_uri_complete: complete,
      expires_at: begun.expires_at,
    },
  )
  if (opening) void warnUnlessOpened(ctx, url)
}

/** Throws vault_answer_invalid: a browser is not handed just anything. */
function webAddress(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url.href
  throw new AuthconnError(
    'vault_answer_invalid',
    'The vault gave a verification address that is not http or https.',
  )
}
