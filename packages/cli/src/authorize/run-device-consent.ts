import { setTimeout as sleep } from 'node:timers/promises'
import { type AuthconnClient, AuthconnError } from '@authconn/sdk'
import type { Authorization, StartedDeviceAuthorization } from '@authconn/shared'
import { isErrorCode } from '@authconn/shared/errors'
import type { Context } from '../context.ts'
import { getGrant } from '../get-grant.ts'
import { duration } from '../output/time.ts'
import { giveUp } from './give-up.ts'
import { patience } from './patience.ts'
import type { Consent, Consented } from './run-consent.ts'
import { warnUnlessOpened } from './send-person.ts'
import { beginUnhurried } from './start-authorization.ts'
import { obstacleToBrowser, surroundings } from './surroundings.ts'

/** Milliseconds between two questions to the vault, which asks the provider no more often for them. */
const pause = 1_000

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

/** Resolves once it is completed. Throws why it was not, authorization_timeout, or what the command is interrupted with. */
async function waitForOutcome(
  { signal }: Context,
  vault: AuthconnClient,
  { id }: StartedDeviceAuthorization,
  timeout: number,
): Promise<Authorization> {
  const end = performance.now() + timeout * 1000
  for (;;) {
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
    const authorization = await vault.call('getAuthorization', { params: { id } }, { signal })
    if (authorization.status === 'completed') return authorization
    if (authorization.status !== 'pending') throw endOf(authorization)
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
  const url = webAddress(complete ?? uri)
  const opening = browser && obstacleToBrowser(surroundings(ctx.env)) === undefined
  const left = Math.max(0, (Date.parse(begun.expires_at) - Date.now()) / 1000)
  ctx.instruct(
    [
      `${opening ? 'The browser is opening. If it does not, go' : 'Go'} with a browser on any machine to:`,
      `\n${webAddress(uri)}\n`,
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
