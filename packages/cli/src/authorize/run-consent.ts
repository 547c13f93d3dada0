import type { AuthconnClient } from '@authconn/sdk'
import type { Authorization, Grant, StartedAuthorization } from '@authconn/shared'
import type { Context } from '../context.ts'
import { getGrant } from '../get-grant.ts'
import { explain } from '../output/report-error.ts'
import { giveUp } from './give-up.ts'
import type { CallbackListener } from './listen-for-callback.ts'
import { failurePage, successPage } from './pages.ts'
import { patience } from './patience.ts'
import { readAuthorizationUrl } from './read-authorization-url.ts'
import { sendPerson } from './send-person.ts'
import { startAuthorization } from './start-authorization.ts'
import { waitForCallback } from './wait-for-callback.ts'

export interface Consent {
  name: string
  /** undefined: the usual ones of the provider. */
  scopes: string[] | undefined
  subject: string | undefined
  browser: boolean
  /** Whether the redirected URL may come from standard input, too. */
  paste: boolean
  /** Seconds. */
  timeout: number
}

/** A completed authorization; the grant is null when the vault completed it but could not be asked for that. */
export type Consented = Authorization & { grant: Grant | null }

interface Parts {
  ctx: Context
  vault: AuthconnClient
  listener: CallbackListener
}

/** One run of the consent flow, from the vault through the browser back to the vault. Leaves nothing pending behind. */
export async function runConsent(parts: Parts, consent: Consent): Promise<Consented> {
  const { ctx, vault, listener } = parts
  const { signal } = ctx
  const { redirectUri } = listener
  const begun = await startAuthorization(ctx, vault, redirectUri, consent)
  try {
    signal.throwIfAborted()
    const { url, state } = readAuthorizationUrl(begun)
    const callback = listener.expect(state)
    sendPerson(ctx, { id: begun.id, url, redirectUri }, consent)
    const redirectedUrl = await waitForCallback(ctx, callback, { redirectUri, state }, consent)
    const completed = await ctx.waitFor(
      'The vault exchanges the code',
      vault.call(
        'completeAuthorization',
        { params: { id: begun.id }, body: { redirected_url: redirectedUrl } },
        { signal },
      ),
    )
    await listener.answer(successPage(begun.connection, begun.subject))
    return completed
  } catch (thrown) {
    return endWithTheTruth(parts, begun, thrown)
  }
}

/** An answer may be lost on its way: what the vault made of the authorization counts, in the browser as well as here. */
async function endWithTheTruth(
  { ctx, vault, listener }: Parts,
  begun: StartedAuthorization,
  thrown: unknown,
): Promise<Consented> {
  const { connection, subject } = begun
  const error = explain(thrown)
  const fate = await giveUp(ctx, vault, begun)
  if (fate.became !== 'completed') {
    const unknown = `It is not known what became of the authorization: see authconn get ${connection}.`
    await listener.answer(failurePage(error, connection, fate.became === 'unknown' ? unknown : undefined))
    throw thrown
  }
  await listener.answer(successPage(connection, subject))
  if (ctx.signal.aborted) {
    ctx.warn(`the vault had completed the authorization. See authconn get ${connection}.`)
    throw thrown
  }
  ctx.say(`The vault has completed the authorization, though its answer did not arrive: ${error.detail}`)
  // The API key may permit to authorize, and not to look.
  const grant = await getGrant(vault, connection, subject, { timeout: patience }).catch(() => null)
  return { ...fate.authorization, grant }
}
