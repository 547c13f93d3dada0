import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider'
import { html } from './html.ts'
import { sendPage } from './layout.ts'

/** What a browser sees when a request is too wrong to send it back to the client. */
export function renderErrorPage(ctx: KoaContextWithOIDC, out: ErrorOut) {
  sendPage(ctx, {
    status: ctx.status,
    title: 'This request cannot be served',
    content: html`<p class="problem" role="alert"><strong>${out.error}</strong>: ${out.error_description ?? 'no description'}</p>`,
  })
}
