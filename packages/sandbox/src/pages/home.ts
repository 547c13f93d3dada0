import { describeFaults } from '../faults/describe-faults.ts'
import type { Context, Next } from '../http/context.ts'
import { endpoints, oauthMetadataPath } from '../http/endpoints.ts'
import { html } from './html.ts'
import { type Page, sendPage } from './layout.ts'

/** The start page: where everything is, and what can be made to fail. */
export function createHome(issuer: string) {
  return async function home(ctx: Context, next: Next) {
    if (ctx.path === '/') sendPage(ctx, homePage(issuer))
    else if (ctx.path === '/favicon.ico') ctx.status = 204
    else await next()
  }
}

function homePage(issuer: string): Page {
  const paths = [...Object.entries(endpoints), ['RFC 8414 metadata', oauthMetadataPath] as const]
  const example = `curl --json '{"endpoint": "token", "kind": "status", "status": 503, "times": 2}' ${issuer}/sandbox/faults`
  return {
    title: 'Sandbox provider',
    content: html`
<p>An OAuth 2.0 and OpenID provider to develop against. Its issuer is <strong>${issuer}</strong>.</p>
<h2>Endpoints</h2>
<table>${paths.map(([name, path]) => html`<tr><th scope="row">${name}</th><td>${path}</td></tr>\n`)}</table>
<h2>Switches</h2>
<table>
<tr><th scope="row">/sandbox/faults</th><td>GET, POST and DELETE: what fails on purpose</td></tr>
<tr><th scope="row">/sandbox/settings</th><td>GET and POST: lifetimes, rotation, latency</td></tr>
<tr><th scope="row">/sandbox/tokens</th><td>POST: tokens without a sign-in, {"count": 1, "account": "alice", "scope": "api:read"}</td></tr>
<tr><th scope="row">/sandbox/families</th><td>GET: what became of the tokens of each sign-in; ?family= for one</td></tr>
<tr><th scope="row">/sandbox/stats</th><td>GET: counters; POST /sandbox/stats/reset sets them to zero</td></tr>
</table>
<p><code>${example}</code></p>
<h2>Faults</h2>
<p class="note">Each takes times (how often it strikes) and, at the token endpoint, grantType (which requests it strikes).</p>
<table>
<tr><th scope="col">Kind</th><th scope="col">What it does</th><th scope="col">Options</th><th scope="col">Endpoints</th></tr>
${describeFaults().map(
  ({ kind, about, options, endpoints: where }) =>
    html`<tr><th scope="row">${kind}</th><td>${about}</td><td>${Object.keys(options).join(', ')}</td><td>${where.join(', ')}</td></tr>\n`,
)}
</table>`,
  }
}
