import { html } from './html.ts'
import type { Page } from './layout.ts'

export interface LoginPage {
  action: string
  client: string
  /** What was wrong with the form that was sent before. */
  problem?: string
}

export function loginPage({ action, client, problem }: LoginPage): Page {
  return {
    status: problem ? 400 : 200,
    title: 'Sign in',
    content: html`
<p>to continue to <strong>${client}</strong></p>
${problem ? html`<p class="problem" role="alert" id="problem">${problem}</p>` : undefined}
<form method="post" action="${action}">
<label for="login">Account name</label>
<input id="login" name="login" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="255" required autofocus${problem ? html` aria-invalid="true" aria-describedby="problem"` : undefined}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="off">
<p class="note">This is a sandbox: any name with any password is accepted. Do not type a real one.</p>
<div class="actions">
<button class="main" name="decision" value="login">Sign in</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</div>
</form>`,
  }
}
