import { scopeDescriptions } from '../provider/scopes.ts'
import { html } from './html.ts'
import type { Page } from './layout.ts'

export interface ConsentPage {
  action: string
  client: string
  account: string
  scopes: readonly string[]
  /** undefined: the person goes back to a device. */
  redirectUri: string | undefined
}

export function consentPage({ action, client, account, scopes, redirectUri }: ConsentPage): Page {
  return {
    title: 'Allow access?',
    content: html`
<p><strong>${client}</strong> asks for access to the account <strong>${account}</strong>:</p>
<ul>
${scopes.map((scope) => html`<li>${scopeDescriptions[scope]} <span class="note">(${scope})</span></li>\n`)}
</ul>
<p class="note">You return to ${redirectUri ?? 'your device'}</p>
<form method="post" action="${action}">
<div class="actions">
<button class="main" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</div>
</form>`,
  }
}
