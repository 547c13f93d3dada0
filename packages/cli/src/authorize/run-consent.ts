import type { AuthconnClient } from '@authconn/sdk'
import type { CompletedAuthorization } from '@authconn/shared'
import type { Context } from '../context.ts'
import { explain } from '../output/report-error.ts'
import { giveUp } from './give-up.ts'
import type { CallbackListener } from './listen-for-callback.ts'
import { failurePage, successPage } from './pages.ts'
import { readAuthorizationUrl } from './read-authorization-url.ts'
import { sendPerson } from './send-person.ts'
import { waitForCallback } from './wait-for-callback.ts'

export interface Consent {
  name: string
  scopes: string[]
  subject: string | undefined
  browser: boolean
  /** Seconds. */
  timeout: number
}

/** One run of the consent flow, from the vault through the browser back to the vault. Leaves nothing pending behind. */
export async function runConsent(
  { ctx, vault, listener }: { ctx: Context; vault: AuthconnClient; listener: CallbackListener },
  consent: Consent,
): Promise<CompletedAuthorization> {
  const { name, scopes, subject, timeout } = consent
  const { signal } = ctx
  const { redirectUri } = listener
  const body = {
    scopes,
    redirect_uri: redirectUri,
    // A little longer than we wait, so that a code that comes at the last moment can still be exchanged.
    timeout: Math.min(3600, timeout + 60),
    ...(subject === undefined ? {} : { subject }),
  }
  const begun = await ctx.waitFor(
    'Asking the vault',
    vault.call('startAuthorization', { params: { name }, body }, { signal }),
  )
  try {
    const { url, state } = readAuthorizationUrl(begun.authorization_url)
    const callback = listener.expect(state)
    sendPerson(ctx, { id: begun.id, url, redirectUri }, consent)
    const redirectedUrl = await waitForCallback(ctx, callback, { redirectUri, state, timeout })
    const completed = await ctx.waitFor(
      'The vault exchanges the code',
      vault.call(
        'completeAuthorization',
        { params: { id: begun.id }, body: { redirected_url: redirectedUrl } },
        { signal },
      ),
    )
    await listener.answer(successPage(name, completed.subject))
    return completed
  } catch (thrown) {
    const error = explain(thrown)
    await listener.answer(failurePage(error))
    await giveUp(ctx, vault, begun)
    throw thrown
  }
}
