import type { Configuration } from 'oidc-provider'
import { Html, html } from './html.ts'
import { sendPage } from './layout.ts'

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

/** Where a person types the code that a device shows (RFC 8628 section 3.3), and what follows. Forms are the library's. */
export const deviceFlowPages: DeviceFlow = {
  enabled: true,
  userCodeInputSource(ctx, form, _out, error) {
    const problem = error && 'The code is not valid here, or was used already. Check it and type it again.'
    sendPage(ctx, {
      ...(problem && { status: 400 }),
      title: 'Connect a device',
      content: html`
<p>Type the code that your device shows:</p>
${problem && html`<p class="problem" role="alert">${problem}</p>`}
${new Html(form)}
<div class="actions"><button class="main" form="op.deviceInputForm">Go on</button></div>`,
    })
  },
  userCodeConfirmSource(ctx, form, client, _device, userCode) {
    sendPage(ctx, {
      title: 'Is this your device?',
      content: html`
<p><strong>${client.clientId}</strong> asks to be connected. Go on only if your device shows <strong>${userCode}</strong>.</p>
${new Html(form)}
<div class="actions">
<button class="main" form="op.deviceConfirmForm">It does</button>
<button form="op.deviceConfirmForm" name="abort" value="yes">It does not</button>
</div>`,
    })
  },
  successSource(ctx) {
    sendPage(ctx, { title: 'Your device is connected', content: html`<p>You can close this page.</p>` })
  },
}
