import { errors, type Provider } from 'oidc-provider'
import type { Context, Next } from '../http/context.ts'
import { readForm } from '../http/read-form.ts'
import { consentPage } from './consent-page.ts'
import { html } from './html.ts'
import { type Page, sendPage } from './layout.ts'
import { loginPage } from './login-page.ts'

/** The pages on which a person signs in and decides, and what their forms do. */
export function createInteraction(provider: Provider) {
  return async function interaction(ctx: Context, next: Next) {
    if (!ctx.path.startsWith('/interaction/')) return next()
    try {
      if (ctx.method === 'GET') sendPage(ctx, await show(ctx))
      else if (ctx.method === 'POST') await submit(ctx)
      else ctx.status = 405
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error
      sendPage(ctx, lostPage)
    }
  }

  async function show(ctx: Context, problem?: string): Promise<Page> {
    const { params, prompt, session, uid } = await provider.interactionDetails(ctx.req, ctx.res)
    const common = { action: `/interaction/${uid}`, client: String(params.client_id) }
    if (prompt.name === 'login') return loginPage({ ...common, ...(problem ? { problem } : {}) })
    return consentPage({
      ...common,
      account: session?.accountId ?? '',
      scopes: missingScopes(prompt.details),
      redirectUri: typeof params.redirect_uri === 'string' ? params.redirect_uri : undefined,
    })
  }

  async function submit(ctx: Context) {
    const form = await readForm(ctx)
    const { params, prompt, session } = await provider.interactionDetails(ctx.req, ctx.res)

    if (form.get('decision') === 'deny') {
      return finish(ctx, { error: 'access_denied', error_description: 'the account holder refused' })
    }
    if (prompt.name === 'login') {
      const login = form.get('login')?.trim() ?? ''
      if (login === '' || login.length > 255) {
        return sendPage(ctx, await show(ctx, 'Type an account name of at most 255 characters.'))
      }
      return finish(ctx, { login: { accountId: login } })
    }
    // Anything but a clear yes shows the question again.
    if (form.get('decision') !== 'allow') return sendPage(ctx, await show(ctx))
    const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params.client_id) })
    grant.addOIDCScope(missingScopes(prompt.details).join(' '))
    return finish(ctx, { consent: { grantId: await grant.save() } })
  }

  async function finish(ctx: Context, result: Parameters<Provider['interactionResult']>[2]) {
    const location = await provider.interactionResult(ctx.req, ctx.res, result)
    ctx.redirect(location)
    ctx.status = 303
  }
}

function missingScopes(details: Record<string, unknown>): string[] {
  return Array.isArray(details.missingOIDCScope) ? details.missingOIDCScope.map(String) : []
}

const lostPage: Page = {
  status: 400,
  title: 'This sign-in is over',
  content: html`<p>It was finished already, took too long, or began in another browser. Start again from the application.</p>`,
}
