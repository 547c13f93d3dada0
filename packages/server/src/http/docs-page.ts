import { createHash } from 'node:crypto'
import {
  contract,
  type Endpoint,
  type ErrorCode,
  errorCodes,
  errorsOf,
  errorTable,
  type OperationName,
  permissions,
  routes,
} from '@authconn/shared'
import { pageHeaders } from './security-headers.ts'

const style = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:0 auto;padding:1rem 1.5rem 4rem}
code,pre{font:.9em/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;background:#8881;border-radius:.4rem}
h2{margin-top:2.5rem;border-bottom:1px solid #8886}h3{margin:2rem 0 .25rem}
.method{display:inline-block;min-width:4rem;font-weight:700}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid #8884}
.muted{opacity:.75}summary{cursor:pointer}`

export const docsHeaders = {
  ...pageHeaders,
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
}

/** The reference of the API as a page that needs no script and nothing from elsewhere, made from the contract. */
export function renderDocs(version: string): string {
  const names = Object.keys(routes) as OperationName[]
  const byTag = Map.groupBy(names, (name) => contract[name].tag)
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>authconn vault API</title><style>${style}</style></head><body>
<h1>authconn vault API</h1>
<p>Version ${escapeHtml(version)}. The same as a machine reads it: <a href="/openapi.json">OpenAPI 3.1</a>.</p>
<p>Send <code>Authorization: Bearer &lt;API key&gt;</code>. Bodies are JSON; unknown fields are refused. Errors are
<code>application/problem+json</code> (RFC 9457) with a <code>code</code> from the table at the end and a <code>hint</code> that says what to do.</p>
<h2>Permissions</h2><table>${Object.entries(permissions)
    .map(([name, text]) => `<tr><td><code>${name}</code><td>${escapeHtml(text)}`)
    .join('')}</table>
${[...byTag].map(([tag, group]) => `<h2>${tag}</h2>${group.map(renderOperation).join('')}`).join('')}
<h2>Error codes</h2><table><tr><th>Code<th>Status<th>Meaning and what to do${errorCodes
    .filter((code) => errorTable[code].status > 0)
    .map(renderError)
    .join('')}</table></body></html>`
}

function renderOperation(name: OperationName): string {
  const endpoint: Endpoint = contract[name]
  const [method, path] = routes[name]
  const { summary, description, permission, params, query, body, success } = endpoint
  return `<h3 id="${name}"><code><span class="method">${method}</span>${escapeHtml(path)}</code></h3>
<p>${prose(summary)}. ${description ? prose(description) : ''}
<span class="muted">${needs(permission)}</span></p>
${renderSchema('Path', params)}${renderSchema('Query', query)}${renderSchema('Body', body)}
${renderSchema(`Answer ${success.status}: ${success.description}`, success.schema)}
<p class="muted">Errors: ${errorsOf(name)
    .map((code) => `<a href="#error-${code}"><code>${code}</code></a>`)
    .join(', ')}</p>`
}

function needs(permission: Endpoint['permission']): string {
  if (permission === 'public') return 'Needs no API key.'
  return permission === 'any' ? 'Needs an API key, and no permission.' : `Needs <code>${permission}</code>.`
}

function renderSchema(title: string, schema: object | undefined): string {
  if (!schema) return ''
  return `<details><summary>${escapeHtml(title)}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`
}

function renderError(code: ErrorCode): string {
  const { status, title, hint } = errorTable[code]
  return `<tr id="error-${code}"><td><code>${code}</code><td>${status}<td>${prose(title)}. ${prose(hint)}`
}

/** Text of the contract, in which names stand between backticks. */
function prose(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
