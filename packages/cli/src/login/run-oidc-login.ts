import { randomBytes } from 'node:crypto'
import { createClient } from '@authconn/sdk'
import type { IssuedKey } from '@authconn/shared'
import type { RedirectHost } from '../authorize/bind-loopback.ts'
import { listenForCallback } from '../authorize/listen-for-callback.ts'
import { failurePage, loggedInPage } from '../authorize/pages.ts'
import { sendPerson } from '../authorize/send-person.ts'
import { waitForCallback } from '../authorize/wait-for-callback.ts'
import type { Context } from '../context.ts'
import { explain } from '../output/report-error.ts'
import { quickFetch } from '../quick-fetch.ts'
import { chooseLogin } from './choose-login.ts'
import { loginNonce } from './login-nonce.ts'

export interface OidcLogin {
  url: string
  allowInsecureHttp: boolean
  workspace: string | undefined
  trust: string | undefined
  /** The trust that the profile was logged in by before. */
  former: string | undefined
  port: number
  redirectHost: RedirectHost
  browser: boolean
  /** Seconds. */
  timeout: number
  clientSecret: string | undefined
}

/**
 * Logs a person in with the OpenID Connect provider that the vault names, in the browser, and has the vault give a key for the ID
 * token. `keep` is given the key before the browser is told that all is well. Throws login_unavailable, login_failed,
 * authorization_timeout, identity_refused, and what listening can.
 */
export async function runOidcLogin<T>(
  ctx: Context,
  wanted: OidcLogin,
  keep: (issued: IssuedKey) => Promise<T>,
): Promise<T> {
  const { url, allowInsecureHttp, workspace, port, redirectHost: host, browser, timeout, clientSecret } = wanted
  const vault = createClient({ url, allowInsecureHttp, fetch: quickFetch })
  const login = await chooseLogin(ctx, vault, wanted)
  const listener = await listenForCallback({ host, port })
  try {
    const { redirectUri } = listener
    // With the library that it takes, which no other command needs.
    const { beginLogin } = await import('./oidc-provider.ts')
    const secret = randomBytes(32).toString('base64url')
    const client = {
      ...{ issuer: login.issuer, clientId: login.client_id, scopes: login.scopes, clientSecret },
      nonce: loginNonce(secret, url),
    }
    const begun = await ctx.waitFor('Asking the provider', beginLogin(client, redirectUri, ctx.signal))
    const callback = listener.expect(begun.state)
    ctx.say(`Logging in with ${login.issuer}, by the trust ${login.trust}.`)
    const paste = ctx.stdin.isTTY === true
    sendPerson(ctx, { url: begun.url, redirectUri }, { browser, paste, timeout })
    const expected = { redirectUri, state: begun.state }
    const redirectedUrl = await waitForCallback(ctx, callback, expected, { timeout, paste })
    const token = await ctx.waitFor('The provider exchanges the code', begun.finish(redirectedUrl))
    const body = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' as const,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' as const,
      trust: login.trust,
      nonce_secret: secret,
      ...(workspace === undefined ? {} : { workspace }),
    }
    const exchanged = vault.call('exchangeToken', { body }, { signal: ctx.signal })
    const kept = await keep(await ctx.waitFor('The vault exchanges the ID token', exchanged))
    await listener.answer(loggedInPage(login.trust))
    return kept
  } catch (error) {
    await listener.answer(failurePage(explain(error)))
    throw error
  } finally {
    await listener.close()
  }
}
